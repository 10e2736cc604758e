import { useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { runsQuery } from '~/api/queries'
import type { Run, RunGroup, RunsRequest } from '~/api/types'
import { runPagesQuery } from '~/features/runs/run-queries'
import { andFilter, parseRunQuery, quoteField, quoteValue } from '~/features/runs/run-query'
import type { WorkspaceView } from '~/features/workspace/workspace-view'

/** A line of the run list. */
export type RunItem =
  | { kind: 'run'; run: Run; indent: boolean }
  | { kind: 'group'; name: string; group: RunGroup; open: boolean; filter: string }
  | { kind: 'loading'; name: string }
  | { kind: 'more'; name: string; count: number }

export interface RunItems {
  items: RunItem[]
  runs: Run[]
  total: number
  pending: boolean
  error: Error | null
  /** Whether what is shown still answers an older question. */
  stale: boolean
  loadMore: () => void
}

const MAX_GROUPS = 500
/** Runs shown of an open group; a filter finds the rest. */
const MAX_RUNS_OF_GROUP = 500

function groupName(group: RunGroup): string {
  return JSON.stringify(group.value)
}

/** The lines of the list: runs page by page, or groups and the runs of the open ones. */
export function useRunItems(
  project: string,
  view: WorkspaceView,
  columns: readonly string[],
  openGroups: ReadonlySet<string>,
): RunItems {
  const { filter, search } = parseRunQuery(view.query)
  const base: RunsRequest = {
    project,
    filter,
    search,
    sort: view.sort === null ? [] : [view.sort],
    columns: [...columns],
  }
  const pages = useInfiniteQuery({ ...runPagesQuery(base), enabled: view.groupBy === null })
  const groups = useQuery({
    ...runsQuery({ project, filter, search, group_by: view.groupBy, limit: MAX_GROUPS }),
    enabled: view.groupBy !== null,
  })
  const groupList = groups.data?.groups ?? []
  const filterOf = (group: RunGroup) =>
    andFilter(filter, `${quoteField(view.groupBy ?? 'group')} = ${quoteValue(group.value)}`)
  const open = view.groupBy === null ? [] : groupList.filter((group) => openGroups.has(groupName(group)))
  const runsOfGroups = useQueries({
    queries: open.map((group) => runsQuery({ ...base, filter: filterOf(group), limit: MAX_RUNS_OF_GROUP })),
  })

  const paged = useMemo(() => pages.data?.pages.flatMap((page) => page.runs) ?? [], [pages.data])
  if (view.groupBy === null) {
    const items: RunItem[] = paged.map((run) => ({ kind: 'run', run, indent: false }))
    if (pages.hasNextPage) items.push({ kind: 'loading', name: 'next' })
    return {
      items,
      runs: paged,
      total: pages.data?.pages[0]?.total ?? 0,
      pending: pages.isPending,
      error: pages.error,
      stale: pages.isPlaceholderData,
      loadMore: () => {
        if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage()
      },
    }
  }
  const items: RunItem[] = []
  const runs: Run[] = []
  for (const group of groupList) {
    const name = groupName(group)
    const index = open.indexOf(group)
    items.push({ kind: 'group', name, group, open: index >= 0, filter: filterOf(group) })
    if (index < 0) continue
    const answer = runsOfGroups[index]?.data
    if (answer === undefined) items.push({ kind: 'loading', name })
    for (const run of answer?.runs ?? []) {
      items.push({ kind: 'run', run, indent: true })
      runs.push(run)
    }
    const left = (answer?.total ?? 0) - (answer?.runs.length ?? 0)
    if (left > 0) items.push({ kind: 'more', name, count: left })
  }
  return {
    items,
    runs,
    total: groupList.reduce((sum, group) => sum + group.run_count, 0),
    pending: groups.isPending,
    error: groups.error,
    stale: groups.isPlaceholderData,
    loadMore: () => undefined,
  }
}
