import type { MetricKey, XAxis } from '~/api/types'
import type { ChartView } from '~/features/metrics/chart-view'
import { keyLabel } from '~/lib/key-label'

/** What one chart's points are placed by. */
export interface ChartAxis {
  x: XAxis
  /** The same for the same axis, another for another. */
  id: string
  /** Written below the axis; `null` for steps and times, which their numbers tell. */
  label: string | null
  /** Whether it is the metric's own and not that of the other charts: then neither is their zoom. */
  own: boolean
}

/** A metric's own axis stands in for the step; any other axis somebody chose wins. */
export function chartAxis({ x, ownAxes }: Pick<ChartView, 'x' | 'ownAxes'>, metric: MetricKey): ChartAxis {
  if (x.kind === 'step' && ownAxes && metric.step_metric !== null) {
    return { ...axisOf({ kind: 'metric', key: metric.step_metric }), own: true }
  }
  return { ...axisOf(x), own: false }
}

function axisOf(x: XAxis): Omit<ChartAxis, 'own'> {
  if (x.kind !== 'metric') return { x, id: x.kind, label: null }
  return { x, id: `metric ${x.key}`, label: keyLabel(x.key) }
}
