import { useMemo } from 'react'
import type { XAxis } from '~/api/types'
import { chartColors } from '~/charts/chart-colors'
import type { PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import { systemModel } from '~/features/metrics/system-axis'
import type { SystemChart } from '~/features/metrics/system-charts'
import type { ChartLines, ChartRuns } from '~/features/metrics/use-chart-lines'
import { useMarks } from '~/features/metrics/use-marks'
import { useSystemLines } from '~/features/metrics/use-system-lines'
import { useDark } from '~/hooks/use-theme'

/** The lines of a chart of machines and what it shows of them, in a card of so many pixels or on the whole screen. */
export function useSystemModel(
  runs: ChartRuns,
  chart: SystemChart,
  x: XAxis,
  zoom: Range | null,
  width: number,
  bands: boolean,
): ChartLines & { model: PlotModel } {
  const found = useSystemLines(runs, chart, x, zoom, width)
  const marks = useMarks(runs, x)
  const dark = useDark()
  const { lines } = found
  const { unit } = chart
  const model = useMemo(
    () => systemModel({ lines, marks, zoom, x, unit, bands, colors: chartColors(dark) }),
    [lines, marks, zoom, x, unit, bands, dark],
  )
  return { ...found, model }
}
