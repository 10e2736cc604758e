import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError } from '~/api/client'
import { runsQuery } from '~/api/queries'
import { parseRunQuery } from '~/features/runs/run-query'

export interface CheckedQuery {
  /** What the list and the charts use: the last text that the server understood. */
  query: string
  /** What is wrong with the text in the search box. */
  error: Error | null
}

/** Tries a filter on the server before anything on the page depends on it, so that a typo never empties the page. */
export function useCheckedQuery(project: string, text: string): CheckedQuery {
  const parsed = parseRunQuery(text)
  const isFilter = parsed.filter !== null
  const check = useQuery({
    ...runsQuery({ project, ...parsed, limit: 1 }),
    placeholderData: undefined,
    enabled: isFilter,
    staleTime: 60_000,
  })
  const [good, setGood] = useState(isFilter ? '' : text)
  const understood = !isFilter || check.isSuccess
  if (understood && good !== text) setGood(text)
  const refused = isFilter && check.error instanceof ApiError && check.error.kind === 'invalid' ? check.error : null
  return { query: understood ? text : good, error: refused }
}
