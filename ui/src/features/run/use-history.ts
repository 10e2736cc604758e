import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { Run } from '~/api/types'
import { appendRows, historyQuery, readPage, stepOf } from '~/features/run/history-queries'

/** The rows of a run, page by page; once all of them are read, those that come are read as they come. */
export function useHistory(run: Run, keys: readonly string[]) {
  const queries = useQueryClient()
  const query = historyQuery(run, keys)
  const history = useInfiniteQuery(query)
  const [following, setFollowing] = useState(false)
  const followed = useRef(run.row_count)
  const atEnd = history.data !== undefined && !history.hasNextPage && !history.isFetching
  const behind = atEnd && !following && followed.current !== run.row_count
  const last = history.data?.pages.findLast(({ rows }) => rows.length > 0)?.rows.at(-1)
  const follow = useRef(() => Promise.resolve())
  follow.current = async () => {
    followed.current = run.row_count
    setFollowing(true)
    try {
      const page = await readPage(run, keys, last === undefined ? null : stepOf(last))
      queries.setQueryData(query.queryKey, (data) => (data === undefined ? data : appendRows(data, page)))
    } catch {
      // The next rows ask again, and the page says already when the server is gone.
    } finally {
      setFollowing(false)
    }
  }
  useEffect(() => {
    if (behind) void follow.current()
  }, [behind])
  return history
}
