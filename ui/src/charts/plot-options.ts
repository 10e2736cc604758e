import type uPlot from 'uplot'
import { DURATION_INCREMENTS, formatTimeTicks, formatXTicks, type XKind, xTickSpace } from '~/charts/axis-format'
import type { ChartColors } from '~/charts/chart-colors'
import type { Range } from '~/charts/range'
import { logTicks } from '~/charts/ticks'
import { formatCount, formatTicks, formatValue } from '~/lib/format-number'
import { formatUnitTicks, type Unit, unitIncrements } from '~/lib/units'

const FONT = '11px "Inter Variable", system-ui, sans-serif'

/** What of a plot cannot change without making it anew. */
export interface PlotShape {
  xKind: XKind
  /** Written below the axis; `null` for none. */
  xLabel: string | null
  logX: boolean
  logY: boolean
  /** Of the values. */
  unit: Unit
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
  const { colors, xKind, logX, logY, unit } = parts
  const increments = logY ? null : unitIncrements(unit)
  const axis = { stroke: colors.text, font: FONT, grid: { stroke: colors.grid, width: 1 }, ticks: { show: false } }
  return {
    width: parts.width,
    height: parts.height,
    // Half of the last label stands beyond the axis.
    padding: [8, () => xTickSpace(xKind, ...parts.xRange()) / 3, 0, 0],
    legend: { show: false },
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    scales: {
      x: { time: xKind === 'wall_time', distr: logX ? 3 : 1, range: parts.xRange },
      y: { distr: logY ? 3 : 1, range: parts.yRange },
    },
    axes: [
      {
        ...axis,
        space: (_: uPlot, _axis: number, min: number, max: number) => xTickSpace(xKind, min, max),
        ...(logX ? logAxis((plot) => (plot.width - 60) / 64) : {}),
        size: 26,
        gap: 6,
        grid: { show: false },
        border: { show: true, stroke: colors.axis, width: 1 },
        ...(parts.xLabel === null ? {} : { label: parts.xLabel, labelFont: FONT, labelSize: 16, labelGap: 0 }),
        ...(xKind === 'relative_time' && !logX ? { incrs: DURATION_INCREMENTS } : {}),
        values: (_: uPlot, splits: number[], _axis: number, _space: number, gap: number) =>
          xLabels(splits, xKind, logX, gap),
      },
      {
        ...axis,
        space: 30,
        gap: 8,
        size: (plot, values) => axisWidth(plot, values),
        ...(logY ? logAxis((plot) => (plot.height - 34) / 30) : {}),
        ...(increments === null ? {} : { incrs: increments }),
        values: (_: uPlot, splits: number[]) => yLabels(splits, logY, unit),
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

/** Ticks of a log axis, as many as there is room for. */
function logAxis(room: (plot: uPlot) => number): Pick<uPlot.Axis, 'splits' | 'filter'> {
  return {
    splits: (plot, _axis, min, max) => logTicks(min, max, room(plot)),
    // uPlot would leave out ticks of its own choice.
    filter: (_plot, splits) => splits,
  }
}

function xLabels(splits: number[], kind: XKind, log: boolean, gap: number): string[] {
  if (kind === 'wall_time') return formatTimeTicks(splits, gap)
  if (log && kind === 'step') return splits.map(formatCount)
  if (log && kind === 'metric') return splits.map((value) => formatValue(value, 3))
  return formatXTicks(splits, kind)
}

function yLabels(splits: number[], log: boolean, unit: Unit): string[] {
  if (log) return splits.map((value) => formatValue(value, 3))
  return unit === 'none' ? formatTicks(splits) : formatUnitTicks(splits, unit)
}

function axisWidth(plot: uPlot, values: string[] | null): number {
  if (values === null) return 40
  const longest = values.reduce((a, b) => (b.length > a.length ? b : a), '')
  plot.ctx.font = FONT
  // The context's font is in CSS pixels here, so no pixel ratio is in the measure.
  return Math.max(30, Math.ceil(plot.ctx.measureText(longest).width) + 16)
}
