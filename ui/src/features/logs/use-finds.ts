import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Run } from '~/api/types'
import { PAGE_LINES } from '~/features/logs/console-pages'
import { pageQuery, selectionOf, tailQuery } from '~/features/logs/console-queries'
import { firstFoundFrom } from '~/features/logs/find-rank'
import type { LogsView } from '~/features/logs/logs-view'

/** A line that the search found: which of those found, and where it is among all. */
interface Find {
  /** What was searched for, and where. */
  search: string
  rank: number
  line: number
}

export interface Finds {
  /** How many lines were found; `undefined` while that is not known. */
  total: number | undefined
  /** Which of them is pointed at, from 0. */
  rank: number | null
  error: Error | null
  /** Goes on to the next line found, or back to the one before, and around at the ends. */
  go: (view: LogsView, from: number, direction: 1 | -1) => Promise<{ rank: number; line: number } | null>
}

/** What the search of a view finds in a run's lines. */
export function useFinds(run: Run, view: LogsView): Finds {
  const queries = useQueryClient()
  const selection = selectionOf(view, true)
  const tail = useQuery({ ...tailQuery(run, selection), enabled: view.search !== '' })
  const [find, setFind] = useState<Find | null>(null)
  const search = JSON.stringify(selection)
  const go: Finds['go'] = async (of, from, direction) => {
    const wanted = selectionOf(of, true)
    if (wanted.search === null) return null
    const { total } = await queries.fetchQuery({ ...tailQuery(run, wanted), staleTime: 1_000 })
    if (total === 0) return null
    const read = async (page: number) => (await queries.fetchQuery(pageQuery(run, wanted, page))).lines
    const known = find?.search === JSON.stringify(wanted) && of.lines?.[0] === find.line ? find.rank : null
    const start = known === null ? await firstFoundFrom(from, total, read) : known + direction
    const rank = known === null && direction === -1 ? start - 1 : start
    const around = ((rank % total) + total) % total
    const line = (await read(Math.floor(around / PAGE_LINES)))[around % PAGE_LINES]?.index
    if (line === undefined) return null
    setFind({ search: JSON.stringify(wanted), rank: around, line })
    return { rank: around, line }
  }
  return {
    total: view.search === '' ? undefined : tail.data?.total,
    rank: find?.search === search && view.lines?.[0] === find.line ? find.rank : null,
    error: view.search === '' ? null : tail.error,
    go,
  }
}
