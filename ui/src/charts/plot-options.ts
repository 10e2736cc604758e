import type uPlot from 'uplot'
import { DURATION_INCREMENTS, formatTimeTicks, formatXTicks, type XKind } from '~/charts/axis-format'
import type { ChartColors } from '~/charts/chart-colors'
import type { Range } from '~/charts/range'
import { formatTicks, formatValue } from '~/lib/format-number'

const FONT = '11px "Inter Variable", system-ui, sans-serif'

/** What of a plot cannot change without making it anew. */
export interface PlotShape {
  xKind: XKind
  logX: boolean
  logY: boolean
  colors: ChartColors
}

interface PlotParts extends PlotShape {
  width: number
  height: number
  xRange: () => Range
  yRange: () => Range
  hooks: uPlot.Hooks.Arrays
  onReset: () => void
}

export function plotOptions(parts: PlotParts): uPlot.Options {
  const { colors, xKind, logX, logY } = parts
  const axis = { stroke: colors.text, font: FONT, grid: { stroke: colors.grid, width: 1 }, ticks: { show: false } }
  return {
    width: parts.width,
    height: parts.height,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    scales: {
      x: { time: xKind === 'wall_time', distr: logX ? 3 : 1, range: parts.xRange },
      y: { distr: logY ? 3 : 1, range: parts.yRange },
    },
    axes: [
      {
        ...axis,
        space: xKind === 'wall_time' ? 64 : 56,
        size: 26,
        gap: 6,
        grid: { show: false },
        border: { show: true, stroke: colors.axis, width: 1 },
        ...(xKind === 'relative_time' && !logX ? { incrs: DURATION_INCREMENTS } : {}),
        values: (_: uPlot, splits: (number | null)[], _axis: number, _space: number, gap: number) =>
          xKind === 'wall_time'
            ? formatTimeTicks(splits as number[], gap)
            : labels(splits, (values) => formatXTicks(values, xKind), logX),
      },
      {
        ...axis,
        space: 30,
        gap: 8,
        size: (plot, values) => axisWidth(plot, values),
        values: (_: uPlot, splits: (number | null)[]) => labels(splits, formatTicks, logY),
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          parts.onReset()
          return null
        },
      },
    },
    hooks: parts.hooks,
  }
}

/** On a log axis uPlot leaves out labels that would stand too close by making them null. */
function labels(splits: (number | null)[], format: (values: readonly number[]) => string[], log: boolean): string[] {
  if (log) return splits.map((value) => (value === null ? '' : formatValue(value, 3)))
  return format(splits as number[])
}

function axisWidth(plot: uPlot, values: string[] | null): number {
  if (values === null) return 40
  const longest = values.reduce((a, b) => (b.length > a.length ? b : a), '')
  plot.ctx.font = FONT
  // The context's font is in CSS pixels here, so no pixel ratio is in the measure.
  return Math.max(30, Math.ceil(plot.ctx.measureText(longest).width) + 16)
}
