import { useRef } from 'react'
import type { LineChartHandle } from '~/charts/line-chart'
import type { Range } from '~/charts/range'
import { ChartBody } from '~/features/metrics/chart-body'
import { ChartCardHead } from '~/features/metrics/chart-card-head'
import type { ChartView } from '~/features/metrics/chart-view'
import { systemAxis } from '~/features/metrics/system-axis'
import { type SystemChart, systemChartName } from '~/features/metrics/system-charts'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useSystemModel } from '~/features/metrics/use-system-model'
import { unitLabel } from '~/lib/units'
import styles from './chart-card.module.css'

interface SystemCardProps {
  chart: SystemChart
  runs: ChartRuns
  view: ChartView
  width: number
  /** The zoom of the charts of machines, while the others are over something else than time. */
  zoom: Range | null
  onZoom: (zoom: Range | null) => void
  onOwnZoom: (zoom: Range | null) => void
  onExpand: () => void
}

/** What machines were busy with: one chart of the grid. */
export function SystemCard({ chart, runs, view, width, zoom: ownZoom, onZoom, onOwnZoom, onExpand }: SystemCardProps) {
  const x = systemAxis(view.x)
  const linked = view.linked && view.x.kind === x.kind
  const zoom = linked ? view.zoom : ownZoom
  const changeZoom = linked ? onZoom : onOwnZoom
  const { lines, pending, error, retry, model } = useSystemModel(runs, chart, x, zoom, width, view.bands)
  const plot = useRef<LineChartHandle>(null)
  const { unit } = chart
  const name = systemChartName(chart)
  return (
    <article className={styles.card} aria-label={name}>
      <ChartCardHead
        name={name}
        title={chart.title}
        note={unitLabel(unit) ?? undefined}
        lines={lines}
        x={x}
        zoom={zoom}
        canvas={() => plot.current?.canvas() ?? null}
        onResetZoom={() => changeZoom(null)}
        onExpand={onExpand}
      />
      <ChartBody
        name={name}
        title={chart.title}
        model={model}
        state={{ pending, error, retry }}
        onZoom={changeZoom}
        chart={plot}
      />
    </article>
  )
}
