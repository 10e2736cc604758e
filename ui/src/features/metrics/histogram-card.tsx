import { Maximize2, RotateCcw } from 'lucide-react'
import { useState } from 'react'
import type { MetricKey } from '~/api/types'
import { HeatChart } from '~/charts/heat-chart'
import type { Range } from '~/charts/range'
import cardStyles from '~/features/metrics/chart-card.module.css'
import headStyles from '~/features/metrics/chart-card-head.module.css'
import type { ChartView } from '~/features/metrics/chart-view'
import { HistogramBody } from '~/features/metrics/histogram-body'
import { RunPicker } from '~/features/metrics/run-picker'
import { chartTitle } from '~/features/metrics/sections'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useHistograms } from '~/features/metrics/use-histograms'
import { IconButton } from '~/ui/button'

const SAMPLES = 120

interface HistogramCardProps {
  metric: MetricKey
  runs: ChartRuns
  /** Path of a run that has some. */
  first: string
  view: ChartView
  onZoom: (zoom: Range | null) => void
  onExpand: () => void
}

/** How the values of a metric spread, step by step: one chart of the grid. */
export function HistogramCard({ metric, runs, first, view, onZoom, onExpand }: HistogramCardProps) {
  const [chosen, setChosen] = useState<string | null>(null)
  const [ownZoom, setOwnZoom] = useState<Range | null>(null)
  const run = chosen !== null && runs.looks.has(chosen) ? chosen : first
  const linked = view.linked && view.x.kind === 'step'
  const zoom = linked ? view.zoom : ownZoom
  const changeZoom = linked ? onZoom : setOwnZoom
  const state = useHistograms(runs, run, metric.key, SAMPLES, zoom)
  const title = chartTitle(metric.key)
  return (
    <article className={cardStyles.card} aria-label={metric.key}>
      <header className={headStyles.head}>
        <h3 className={headStyles.title} title={metric.key}>
          {title}
        </h3>
        <div className={headStyles.actions}>
          {zoom !== null && (
            <IconButton label="Reset zoom" onClick={() => changeZoom(null)}>
              <RotateCcw size={13} />
            </IconButton>
          )}
          <IconButton label={`Expand ${metric.key}`} onClick={onExpand}>
            <Maximize2 size={13} />
          </IconButton>
        </div>
        <RunPicker runs={runs} run={run} onChange={setChosen} />
      </header>
      <HistogramBody state={state} title={title}>
        <HeatChart chartId={metric.key} title={metric.key} model={state.model} onZoom={changeZoom} />
      </HistogramBody>
    </article>
  )
}
