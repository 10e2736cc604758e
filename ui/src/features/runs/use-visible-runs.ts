import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { runsQuery } from '~/api/queries'
import type { Run } from '~/api/types'
import { idsFilter, parseRunQuery } from '~/features/runs/run-query'
import { MAX_TOP, type WorkspaceView } from '~/features/workspace/workspace-view'

export interface VisibleRuns {
  /** In the order of the list; the ones shown besides come after. */
  runs: Run[]
  /** How many runs match the search in all. */
  total: number
  loading: boolean
  error: Error | null
}

/** The runs on the charts: the first so many of the list, those shown besides, without the hidden ones. */
export function useVisibleRuns(project: string, view: WorkspaceView): VisibleRuns {
  const top = useQuery({
    ...runsQuery({
      project,
      ...parseRunQuery(view.query),
      sort: view.sort === null ? [] : [view.sort],
      limit: Math.max(1, view.top),
    }),
  })
  const besides = useQuery({
    ...runsQuery({ project, filter: idsFilter(view.show), limit: MAX_TOP }),
    enabled: view.show.length > 0,
  })
  const runs = useMemo(() => {
    const hidden = new Set(view.hide)
    const first = (top.data?.runs ?? []).slice(0, view.top)
    const known = new Set(first.map(({ id }) => id))
    const wanted = new Set(view.show)
    const others = (besides.data?.runs ?? []).filter(({ id }) => !known.has(id) && wanted.has(id))
    return [...first.filter(({ id }) => !hidden.has(id)), ...others]
  }, [top.data, besides.data, view.top, view.show, view.hide])
  return {
    runs,
    total: top.data?.total ?? 0,
    loading: top.isPending || (view.show.length > 0 && besides.isPending),
    error: top.error ?? besides.error,
  }
}
