import { useCallback, useMemo, useRef, useState } from 'react'
import type { MetricKey } from '~/api/types'
import { chartColors } from '~/charts/chart-colors'
import type { LineChartHandle } from '~/charts/line-chart'
import type { PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import { chartAxis } from '~/features/metrics/chart-axis'
import { ChartBody } from '~/features/metrics/chart-body'
import { ChartCardHead } from '~/features/metrics/chart-card-head'
import type { ChartView } from '~/features/metrics/chart-view'
import { chartTitle } from '~/features/metrics/sections'
import { type ChartRuns, useChartLines } from '~/features/metrics/use-chart-lines'
import { useMarks } from '~/features/metrics/use-marks'
import { useDark } from '~/hooks/use-theme'
import styles from './chart-card.module.css'

interface ChartCardProps {
  metric: MetricKey
  runs: ChartRuns
  view: ChartView
  width: number
  onZoom: (zoom: Range | null) => void
  onExpand: () => void
}

/** One chart of the grid. */
export function ChartCard({ metric, runs, view, width, onZoom, onExpand }: ChartCardProps) {
  const [ownZoom, setOwnZoom] = useState<{ axis: string; range: Range | null } | null>(null)
  const axis = useMemo(() => chartAxis({ x: view.x, ownAxes: view.ownAxes }, metric), [view.x, view.ownAxes, metric])
  const linked = view.linked && !axis.own
  // A range means nothing on another axis.
  const zoom = linked ? view.zoom : ownZoom?.axis === axis.id ? ownZoom.range : null
  const chart = useRef<LineChartHandle>(null)
  const { lines, pending, error, retry } = useChartLines(
    runs,
    metric.key,
    { x: axis.x, smoothing: view.smoothing },
    zoom,
    width,
  )
  const marks = useMarks(runs, axis.x)
  const dark = useDark()
  const model = useMemo<PlotModel>(
    () => ({
      lines,
      marks,
      zoom,
      xKind: axis.x.kind,
      xLabel: axis.label,
      // Time since 1970 has no logarithm worth seeing.
      logX: view.logX && axis.x.kind !== 'wall_time',
      logY: view.logY,
      bands: view.bands,
      unit: 'none',
      colors: chartColors(dark),
      y: { ignoreOutliers: view.ignoreOutliers, frame: null, min: null, max: null },
    }),
    [lines, marks, zoom, axis.x.kind, axis.label, view.logX, view.logY, view.bands, view.ignoreOutliers, dark],
  )
  const changeZoom = useCallback(
    (range: Range | null) => (linked ? onZoom(range) : setOwnZoom({ axis: axis.id, range })),
    [linked, onZoom, axis.id],
  )
  return (
    <article className={styles.card} aria-label={metric.key}>
      <ChartCardHead
        name={metric.key}
        title={chartTitle(metric.key)}
        lines={lines}
        x={axis.x}
        zoom={zoom}
        canvas={() => chart.current?.canvas() ?? null}
        onResetZoom={() => changeZoom(null)}
        onExpand={onExpand}
      />
      <ChartBody
        name={metric.key}
        title={chartTitle(metric.key)}
        model={model}
        state={{ pending, error, retry }}
        onZoom={changeZoom}
        chart={chart}
      />
    </article>
  )
}
