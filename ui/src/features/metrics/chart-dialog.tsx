import { useMemo, useRef, useState } from 'react'
import type { MetricKey } from '~/api/types'
import { chartColors } from '~/charts/chart-colors'
import { LineChart, type LineChartHandle } from '~/charts/line-chart'
import type { PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import { chartAxis } from '~/features/metrics/chart-axis'
import { ChartMenu } from '~/features/metrics/chart-card-head'
import { ChartLegend } from '~/features/metrics/chart-legend'
import type { ChartView } from '~/features/metrics/chart-view'
import { SmoothingSlider } from '~/features/metrics/smoothing-slider'
import { type ChartRuns, useChartLines } from '~/features/metrics/use-chart-lines'
import { useMarks } from '~/features/metrics/use-marks'
import { useDark } from '~/hooks/use-theme'
import { keyLabel } from '~/lib/key-label'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import { Checkbox, TextInput } from '~/ui/field'
import { ErrorMessage, Skeleton } from '~/ui/message'
import styles from './chart-dialog.module.css'

interface ChartDialogProps {
  metric: MetricKey
  runs: ChartRuns
  view: ChartView
  change: (part: Partial<ChartView>) => void
  onClose: () => void
}

/** Canvas width the detail is asked for: a full screen's. */
export const FULL_WIDTH = 1_600

function bound(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !Number.isFinite(value) ? null : value
}

/** One chart on the whole screen, with a zoom, a y axis and smoothing of its own. */
export function ChartDialog({ metric, runs, view, change, onClose }: ChartDialogProps) {
  const axis = useMemo(() => chartAxis({ x: view.x, ownAxes: view.ownAxes }, metric), [view.x, view.ownAxes, metric])
  const [zoom, setZoom] = useState<Range | null>(axis.own ? null : view.zoom)
  const [logY, setLogY] = useState(view.logY)
  const [minText, setMinText] = useState('')
  const [maxText, setMaxText] = useState('')
  const chart = useRef<LineChartHandle>(null)
  const dark = useDark()
  const { lines, pending, error, retry, exact } = useChartLines(
    runs,
    metric.key,
    { x: axis.x, smoothing: view.smoothing },
    zoom,
    FULL_WIDTH,
  )
  const marks = useMarks(runs, axis.x)
  const [min, max] = [bound(minText), bound(maxText)]
  const model = useMemo<PlotModel>(
    () => ({
      lines,
      marks,
      zoom,
      xKind: axis.x.kind,
      xLabel: axis.label,
      // Time since 1970 has no logarithm worth seeing.
      logX: view.logX && axis.x.kind !== 'wall_time',
      logY,
      bands: view.bands,
      unit: 'none',
      colors: chartColors(dark),
      y: { ignoreOutliers: view.ignoreOutliers, frame: null, min, max },
    }),
    [lines, marks, zoom, axis.x.kind, axis.label, view.logX, logY, view.bands, view.ignoreOutliers, dark, min, max],
  )
  const canvas = () => chart.current?.canvas() ?? null
  return (
    <Dialog
      size="full"
      label={`Chart ${metric.key}`}
      title={keyLabel(metric.key)}
      onClose={onClose}
      actions={<ChartMenu name={metric.key} lines={lines} x={axis.x} zoom={zoom} canvas={canvas} />}
    >
      <div className={styles.controls}>
        <SmoothingSlider value={view.smoothing} onChange={(smoothing) => change({ smoothing })} />
        <span className={styles.bound}>
          y from
          <TextInput
            aria-label="Lowest y"
            inputMode="decimal"
            placeholder="auto"
            value={minText}
            onChange={(e) => setMinText(e.target.value)}
          />
          to
          <TextInput
            aria-label="Highest y"
            inputMode="decimal"
            placeholder="auto"
            value={maxText}
            onChange={(e) => setMaxText(e.target.value)}
          />
        </span>
        <Checkbox checked={logY} onChange={(event) => setLogY(event.target.checked)}>
          Logarithmic y
        </Checkbox>
        <Checkbox checked={view.bands} onChange={(event) => change({ bands: event.target.checked })}>
          Min/max band
        </Checkbox>
        {zoom !== null && <Button onClick={() => setZoom(null)}>Reset zoom</Button>}
        <span className={styles.detail}>
          {exact ? 'every step' : 'exact min, mean and max per bucket; drag to zoom for every step'}
        </span>
      </div>
      <div className={styles.main}>
        <div className={styles.chart}>
          {error !== null ? (
            <ErrorMessage title="Could not read the chart" error={error} onRetry={retry} />
          ) : pending && lines.length === 0 ? (
            <Skeleton height={240} />
          ) : (
            <LineChart ref={chart} chartId={`full ${metric.key}`} title={metric.key} model={model} onZoom={setZoom} />
          )}
        </div>
        <ChartLegend lines={lines} />
      </div>
    </Dialog>
  )
}
