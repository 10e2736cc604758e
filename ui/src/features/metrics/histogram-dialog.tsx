import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { MetricKey } from '~/api/types'
import { HeatChart } from '~/charts/heat-chart'
import { HistogramBars } from '~/charts/histogram-bars'
import type { Range } from '~/charts/range'
import type { ChartView } from '~/features/metrics/chart-view'
import { HistogramBody } from '~/features/metrics/histogram-body'
import { probeQuery } from '~/features/metrics/histogram-queries'
import { RunPicker } from '~/features/metrics/run-picker'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useHistograms } from '~/features/metrics/use-histograms'
import { formatInteger } from '~/lib/format-number'
import { keyLabel } from '~/lib/key-label'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import styles from './histogram-dialog.module.css'

const SAMPLES = 400

interface HistogramDialogProps {
  metric: MetricKey
  runs: ChartRuns
  view: ChartView
  onClose: () => void
}

/** How the values of a metric spread, on the whole screen: step by step, and at one step as bars. */
export function HistogramDialog({ metric, runs, view, onClose }: HistogramDialogProps) {
  const { data: probe } = useQuery(probeQuery(runs.project, [...runs.looks.keys()], metric.key))
  const [chosen, setChosen] = useState<string | null>(null)
  const [zoom, setZoom] = useState<Range | null>(view.x.kind === 'step' ? view.zoom : null)
  const run = chosen ?? probe?.run
  if (run === undefined || !probe?.isHistogram) return null
  return (
    <Dialog
      size="full"
      label={`Chart ${metric.key}`}
      title={keyLabel(metric.key)}
      onClose={onClose}
      actions={
        <>
          {zoom !== null && <Button onClick={() => setZoom(null)}>Reset zoom</Button>}
          <RunPicker runs={runs} run={run} onChange={setChosen} />
        </>
      }
    >
      <Histograms metric={metric} runs={runs} run={run} zoom={zoom} onZoom={setZoom} />
    </Dialog>
  )
}

interface HistogramsProps {
  metric: MetricKey
  runs: ChartRuns
  run: string
  zoom: Range | null
  onZoom: (zoom: Range | null) => void
}

function Histograms({ metric, runs, run, zoom, onZoom }: HistogramsProps) {
  const state = useHistograms(runs, run, metric.key, SAMPLES, zoom)
  const [pointed, setPointed] = useState<number | null>(null)
  const { histograms } = state.model
  const shown = (pointed === null ? undefined : histograms[pointed]) ?? histograms.at(-1)
  return (
    <div className={styles.main}>
      <div className={styles.map}>
        <HistogramBody state={state} title={metric.key}>
          <HeatChart
            chartId={`full ${metric.key}`}
            title={metric.key}
            model={state.model}
            onZoom={onZoom}
            onPoint={setPointed}
          />
        </HistogramBody>
      </div>
      {shown !== undefined && (
        <div className={styles.bars}>
          <HistogramBars
            histogram={shown.histogram}
            label={`step ${formatInteger(shown.step)}${shown === histograms.at(-1) ? ', the latest' : ''}`}
          />
        </div>
      )}
    </div>
  )
}
