import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { runsQuery } from '~/api/queries'
import type { Run, Sort } from '~/api/types'
import type { RunRowActions } from '~/features/runs/run-row'
import { type Differences, findDifferences } from '~/features/runs/run-values'
import { type AvailableColumns, useAvailableColumns } from '~/features/runs/use-available-columns'
import { useCheckedQuery } from '~/features/runs/use-checked-query'
import { type RunColors, storeColor, useRunColors } from '~/features/runs/use-run-colors'
import { type RunItems, useRunItems } from '~/features/runs/use-run-items'
import { useVisibleRuns, type VisibleRuns } from '~/features/runs/use-visible-runs'
import { showOnly, showTop, toggleRun, toggleRuns } from '~/features/runs/visibility'
import { MAX_TOP, type WorkspaceView } from '~/features/workspace/workspace-view'

export interface RunListState {
  view: WorkspaceView
  /** What the server says of a filter it does not understand. */
  queryError: Error | null
  change: (part: Partial<WorkspaceView>) => void
  items: RunItems
  visible: VisibleRuns
  visibleIds: ReadonlySet<string>
  available: AvailableColumns
  /** The chosen columns … */
  columns: readonly string[]
  /** … and of them what is in sight. */
  shownColumns: readonly string[]
  differences: Differences
  colors: RunColors
  showTop: (top: number) => void
  actions: RunRowActions & {
    sort: (sort: Sort | null) => void
    toggleGroup: (name: string) => void
    showGroup: (filter: string, visible: boolean) => void
  }
}

const NO_COLUMNS: string[] = []
/** Last values that the table shows when nobody chose columns. */
const DEFAULT_SUMMARY_COLUMNS = 10
const DEFAULT_CONFIG_COLUMNS = 20

/** Everything the run list knows and does, for the side panel and the table alike. */
export function useRunListState(
  project: string,
  view: WorkspaceView,
  change: (part: Partial<WorkspaceView>) => void,
): RunListState {
  const queries = useQueryClient()
  const available = useAvailableColumns(project)
  const columns = useMemo(() => {
    if (view.columns !== null) return view.columns
    if (view.mode === 'charts') return NO_COLUMNS
    const config = available.config.slice(0, DEFAULT_CONFIG_COLUMNS)
    return ['duration', ...config, ...available.summary.slice(0, DEFAULT_SUMMARY_COLUMNS)]
  }, [view.columns, view.mode, available])
  const [openGroups, setOpenGroups] = useState<ReadonlySet<string>>(new Set())
  const checked = useCheckedQuery(project, view.query)
  const effective = useMemo(() => ({ ...view, query: checked.query }), [view, checked.query])
  const items = useRunItems(project, effective, columns, openGroups)
  const visible = useVisibleRuns(project, effective)
  const visibleIds = useMemo(() => new Set(visible.runs.map(({ id }) => id)), [visible.runs])
  const colors = useRunColors(project, visible.runs, view.colors)
  const differences = useMemo(() => {
    const compared = items.runs.filter(({ id }) => visibleIds.has(id))
    return findDifferences(
      compared,
      columns.filter((field) => field.startsWith('config.')),
    )
  }, [items.runs, visibleIds, columns])
  const shownColumns = useMemo(
    () =>
      view.mode === 'table' && view.onlyDifferences
        ? columns.filter((field) => !field.startsWith('config.') || differences.has(field))
        : columns,
    [view.mode, view.onlyDifferences, columns, differences],
  )

  // Rows are memoised: their actions stay the same and look up what is current.
  const current = useRef({ view, change })
  current.current = { view, change }
  const actions = useMemo<RunListState['actions']>(
    () => ({
      toggle: (run: Run, isVisible: boolean) =>
        current.current.change(toggleRun(current.current.view, run.id, isVisible)),
      only: (run: Run) => current.current.change(showOnly([run.id])),
      setColor: (run: Run, slot: number) => {
        storeColor(project, run.id, slot)
        current.current.change({ colors: { ...current.current.view.colors, [run.id]: slot } })
      },
      sort: (sort) => current.current.change({ sort }),
      toggleGroup: (name) =>
        setOpenGroups((open) => {
          const next = new Set(open)
          if (!next.delete(name)) next.add(name)
          return next
        }),
      showGroup: async (filter, isVisible) => {
        const answer = await queries.fetchQuery(runsQuery({ project, filter, limit: MAX_TOP }))
        const ids = answer.runs.map(({ id }) => id)
        current.current.change(toggleRuns(current.current.view, ids, isVisible))
      },
    }),
    [project, queries],
  )
  return {
    view,
    queryError: checked.error,
    change,
    items,
    visible,
    visibleIds,
    available,
    columns,
    shownColumns,
    differences,
    colors,
    showTop: (top) => change(showTop(top)),
    actions,
  }
}
