import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useCallback, useMemo, useRef } from 'react'
import { keysQuery } from '~/api/queries'
import type { Range } from '~/charts/range'
import { ChartDialog } from '~/features/metrics/chart-dialog'
import { ChartGrid } from '~/features/metrics/chart-grid'
import { ChartToolbar } from '~/features/metrics/chart-toolbar'
import type { ChartView } from '~/features/metrics/chart-view'
import { HistogramDialog } from '~/features/metrics/histogram-dialog'
import { keyMatcher } from '~/features/metrics/sections'
import { systemCharts } from '~/features/metrics/system-charts'
import { SystemDialog } from '~/features/metrics/system-dialog'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { isSystemKey } from '~/lib/key-label'
import { runIdOfPath } from '~/lib/path-builder'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './charts-area.module.css'

interface ChartsAreaProps {
  runs: ChartRuns
  view: ChartView
  change: (part: Partial<ChartView>) => void
  /** What to say when no run is shown. */
  noRuns: ReactNode
  loading: boolean
  /** Whether charts of what machines were busy with are shown unless somebody closes them. */
  systemOpen: boolean
}

/** Toolbar, charts in sections, and the one chart on the whole screen. */
export function ChartsArea({ runs, view, change, noRuns, loading, systemOpen }: ChartsAreaProps) {
  const ids = useMemo(() => [...runs.looks.keys()].map(runIdOfPath).sort(), [runs.looks])
  const keys = useQuery({ ...keysQuery(runs.project, ids), enabled: ids.length > 0 })
  const all = keys.data?.keys
  const metrics = useMemo(() => (all ?? []).filter(({ key }) => !isSystemKey(key)), [all])
  const alone = runs.looks.size === 1
  const system = useMemo(
    () =>
      systemCharts(
        (all ?? []).filter(({ key }) => isSystemKey(key)),
        alone,
      ),
    [all, alone],
  )
  const [found, foundSystem] = useMemo(() => {
    const matches = keyMatcher(view.search) ?? (() => true)
    return [metrics.filter(({ key }) => matches(key)), system.filter(({ title }) => matches(`system/${title}`))]
  }, [metrics, system, view.search])
  const showsSystem = view.system ?? systemOpen
  const shownCount =
    found.filter(({ hidden }) => !hidden || view.hidden).length + (showsSystem ? foundSystem.length : 0)
  const latest = useRef(change)
  latest.current = change
  const zoom = useCallback((range: Range | null) => latest.current({ zoom: range }), [])
  const expanded = metrics.find(({ key }) => key === view.expanded)
  const expandedSystem = system.find(({ key }) => key === view.expanded)
  const closeDialog = () => change({ expanded: null })
  return (
    <section className={styles.area} aria-label="Charts">
      <ChartToolbar keys={metrics} found={ids.length === 0 ? 0 : shownCount} view={view} change={change} />
      {ids.length === 0 ? (
        loading ? (
          <Loading />
        ) : (
          noRuns
        )
      ) : keys.error !== null && all === undefined ? (
        <ErrorMessage title="Could not read the metrics" error={keys.error} onRetry={() => void keys.refetch()} />
      ) : all === undefined ? (
        <Loading />
      ) : all.length === 0 ? (
        <Message title="Nothing logged yet">Charts appear here with the first call of run.log().</Message>
      ) : found.length + foundSystem.length === 0 ? (
        <Message title="No chart found">No metric has “{view.search}” in its name.</Message>
      ) : (
        <ChartGrid
          keys={found}
          system={foundSystem}
          systemOpen={showsSystem}
          runs={runs}
          view={view}
          change={change}
          onZoom={zoom}
        />
      )}
      {expanded?.kind === 'other' && (
        <HistogramDialog metric={expanded} runs={runs} view={view} onClose={closeDialog} />
      )}
      {expanded !== undefined && expanded.kind !== 'other' && (
        <ChartDialog metric={expanded} runs={runs} view={view} change={change} onClose={closeDialog} />
      )}
      {expandedSystem !== undefined && (
        <SystemDialog chart={expandedSystem} runs={runs} view={view} onClose={closeDialog} />
      )}
    </section>
  )
}

function Loading() {
  return (
    <div className={styles.loading}>
      {[1, 2, 3, 4, 5, 6].map((number) => (
        <Skeleton key={number} height={240} />
      ))}
    </div>
  )
}
