import type { Ref } from 'react'
import { LineChart, type LineChartHandle } from '~/charts/line-chart'
import type { PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import type { ChartLines } from '~/features/metrics/use-chart-lines'
import { Button } from '~/ui/button'
import { errorText, Skeleton } from '~/ui/message'
import styles from './chart-body.module.css'

interface ChartBodyProps {
  /** Unique on the page. */
  name: string
  title: string
  model: PlotModel
  state: Pick<ChartLines, 'pending' | 'error' | 'retry'>
  onZoom: (range: Range | null) => void
  chart: Ref<LineChartHandle>
}

/** The chart of a card, or why there is none. */
export function ChartBody({ name, title, model, state, onZoom, chart }: ChartBodyProps) {
  if (model.lines.length > 0) {
    return (
      <div className={styles.body}>
        <LineChart ref={chart} chartId={name} title={name} model={model} onZoom={onZoom} />
      </div>
    )
  }
  return (
    <div className={styles.body}>
      <div className={styles.empty}>
        {state.error !== null ? (
          <div role="alert" className={styles.error}>
            <span>{errorText(state.error)}</span>
            <Button onClick={state.retry}>Try again</Button>
          </div>
        ) : state.pending ? (
          <Skeleton height={96} width="88%" />
        ) : (
          <span>{`No ${model.zoom === null ? 'points' : 'points in this range'} of ${title} in the shown runs`}</span>
        )}
      </div>
    </div>
  )
}
