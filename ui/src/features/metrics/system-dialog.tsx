import { useRef, useState } from 'react'
import type { LineChartHandle } from '~/charts/line-chart'
import type { Range } from '~/charts/range'
import { ChartBody } from '~/features/metrics/chart-body'
import { ChartMenu } from '~/features/metrics/chart-card-head'
import { FULL_WIDTH } from '~/features/metrics/chart-dialog'
import { ChartLegend } from '~/features/metrics/chart-legend'
import type { ChartView } from '~/features/metrics/chart-view'
import { systemAxis } from '~/features/metrics/system-axis'
import { type SystemChart, systemChartName } from '~/features/metrics/system-charts'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useSystemModel } from '~/features/metrics/use-system-model'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import styles from './chart-dialog.module.css'

interface SystemDialogProps {
  chart: SystemChart
  runs: ChartRuns
  view: ChartView
  onClose: () => void
}

/** What machines were busy with, on the whole screen. */
export function SystemDialog({ chart, runs, view, onClose }: SystemDialogProps) {
  const x = systemAxis(view.x)
  const [zoom, setZoom] = useState<Range | null>(view.x.kind === x.kind ? view.zoom : null)
  const { lines, pending, error, retry, model } = useSystemModel(runs, chart, x, zoom, FULL_WIDTH, view.bands)
  const plot = useRef<LineChartHandle>(null)
  const name = systemChartName(chart)
  const canvas = () => plot.current?.canvas() ?? null
  return (
    <Dialog
      size="full"
      label={`Chart ${name}`}
      title={name}
      onClose={onClose}
      actions={
        <>
          {zoom !== null && <Button onClick={() => setZoom(null)}>Reset zoom</Button>}
          <ChartMenu name={name} lines={lines} x={x} zoom={zoom} canvas={canvas} />
        </>
      }
    >
      <div className={styles.main}>
        <div className={styles.chart}>
          <ChartBody
            name={`full ${name}`}
            title={chart.title}
            model={model}
            state={{ pending, error, retry }}
            onZoom={setZoom}
            chart={plot}
          />
        </div>
        <ChartLegend lines={lines} unit={chart.unit} />
      </div>
    </Dialog>
  )
}
