import type { XAxis } from '~/api/types'
import type { ChartColors } from '~/charts/chart-colors'
import type { Mark } from '~/charts/draw'
import type { Line } from '~/charts/line'
import type { PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import { type Unit, unitRange } from '~/lib/units'

const RELATIVE: XAxis = { kind: 'relative_time' }

/** What machines were busy with is shown over time, whatever the metrics are shown over. */
export function systemAxis(x: XAxis): XAxis {
  return x.kind === 'wall_time' ? x : RELATIVE
}

/** What a chart of a machine shows: no smoothing, no logarithms, and a share as one of all. */
export function systemModel(parts: {
  lines: readonly Line[]
  marks: readonly Mark[]
  zoom: Range | null
  x: XAxis
  unit: Unit
  bands: boolean
  colors: ChartColors
}): PlotModel {
  const { x, unit, ...model } = parts
  return {
    ...model,
    unit,
    xKind: x.kind,
    xLabel: null,
    logX: false,
    logY: false,
    y: { ignoreOutliers: false, frame: unitRange(unit), min: null, max: null },
  }
}
