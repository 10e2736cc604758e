import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { RunAlert, XAxis } from '~/api/types'
import type { Mark } from '~/charts/draw'
import type { RunLook } from '~/charts/line'
import { alertsQuery } from '~/features/alerts/alert-queries'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { runIdOfPath } from '~/lib/path-builder'

const KINDS = { INFO: 'info', WARN: 'warning', ERROR: 'error' } as const
const NO_MARKS: readonly Mark[] = []

/** The newest alerts of the runs on a chart, where its axis is a time: only that an alert has. */
export function useMarks(runs: ChartRuns, x: XAxis): readonly Mark[] {
  const timed = x.kind === 'wall_time' || x.kind === 'relative_time'
  const paths = [...runs.looks.keys()]
  const { data } = useInfiniteQuery({
    ...alertsQuery(runs.project, paths.length === 1 ? runIdOfPath(paths[0]) : null),
    enabled: timed && paths.length > 0,
  })
  const alerts = data?.pages[0]?.alerts
  return useMemo(
    () => (timed && alerts !== undefined ? marksOf(alerts, runs, x.kind) : NO_MARKS),
    [timed, alerts, runs, x.kind],
  )
}

/** Alerts as places along a time axis. The clock of a fork begins with a run that need not be here: it has none. */
export function marksOf(
  alerts: readonly RunAlert[],
  { project, looks }: { project: string; looks: ReadonlyMap<string, RunLook> },
  xKind: XAxis['kind'],
): Mark[] {
  const marks: Mark[] = []
  for (const { run, run_name, level, title, time } of alerts) {
    const look = looks.get(`${project}/${run}`)
    if (look === undefined || (xKind === 'relative_time' && look.forkStep !== null)) continue
    const label = looks.size === 1 ? title : `${run_name}: ${title}`
    marks.push({ x: xKind === 'wall_time' ? time : time - look.createdAt, kind: KINDS[level], label })
  }
  return marks
}
