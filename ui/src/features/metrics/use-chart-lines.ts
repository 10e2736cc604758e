import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { buildLines, type Line, type RunLook } from '~/charts/line'
import type { Range } from '~/charts/range'
import type { ChartView } from '~/features/metrics/chart-view'
import { bucketsFor, joinSeries, seriesQuery } from '~/features/metrics/series-queries'

/** The runs a set of charts draws. */
export interface ChartRuns {
  /** `entity/project`. */
  project: string
  /** Paths of runs that are over … */
  settled: string[]
  /** … and of those still going on. */
  live: string[]
  /** Names, colours and beginnings by path, in the order of the list. */
  looks: ReadonlyMap<string, RunLook>
}

export interface ChartLines {
  lines: Line[]
  pending: boolean
  error: Error | null
  retry: () => void
  /** Whether each bucket is one step: nothing finer exists. */
  exact: boolean
}

/** A little beyond the zoomed part, so that lines run to the edge of the chart. */
const MARGIN = 0.02

/** The range that is asked for to draw a zoomed part. */
export function widen(range: Range | null): Range | null {
  if (range === null) return null
  const margin = (range[1] - range[0]) * MARGIN
  return [range[0] - margin, range[1] + margin]
}

export function useChartLines(
  runs: ChartRuns,
  key: string,
  view: Pick<ChartView, 'x' | 'smoothing'>,
  zoom: Range | null,
  width: number,
): ChartLines {
  const buckets = bucketsFor(width, runs.settled.length + runs.live.length)
  const shape = { x: view.x, range: widen(zoom), buckets }
  const settled = useQuery(seriesQuery(runs.project, 'settled', { runs: runs.settled, ...shape }, key))
  const live = useQuery(seriesQuery(runs.project, 'live', { runs: runs.live, ...shape }, key))
  const settledData = runs.settled.length > 0 ? settled.data : undefined
  const liveData = runs.live.length > 0 ? live.data : undefined
  const lines = useMemo(() => {
    const data = joinSeries(settledData, liveData)
    return data === undefined ? [] : buildLines(data, runs.looks, view.smoothing, view.x.kind)
  }, [settledData, liveData, runs.looks, view.smoothing, view.x.kind])
  const parts = [runs.settled.length > 0 ? settled : null, runs.live.length > 0 ? live : null].filter(
    (part) => part !== null,
  )
  return {
    lines,
    pending: parts.some((part) => part.isPending),
    error: lines.length === 0 ? (parts.find((part) => part.error !== null)?.error ?? null) : null,
    retry: () => {
      for (const part of parts) void part.refetch()
    },
    exact: parts.every((part) => part.data?.grid.exact ?? true),
  }
}
