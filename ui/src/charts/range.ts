import type { Line } from '~/charts/line'
import { rememberLast } from '~/charts/remember'

export type Range = [min: number, max: number]

/** What of the y axis people decide. */
export interface YRangeOptions {
  log: boolean
  /** Whether minima and maxima of buckets must fit, or only the lines. */
  bands: boolean
  /** Whether the lowest and highest twentieth of the values may fall outside. */
  ignoreOutliers: boolean
  /** What is shown at least; `null` for no more than the values. */
  frame: Range | null
  /** Bounds set by hand. */
  min: number | null
  max: number | null
}

const NEAR_ZERO = 0.01

/** The extent of the lines along x; `null` when there is no point. On a log axis only positive x count. */
export function xExtent(lines: readonly Line[], log: boolean): Range | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const { columns } of lines) {
    for (let index = 0; index < columns.x.length; index += 1) {
      const x = columns.x[index]
      if (log && x <= 0) continue
      if (x < min) min = x
      if (x > max) max = x
      // Rows are ordered by x: the first that counts is the lowest, and the last row the highest.
      if (index < columns.x.length - 1) index = columns.x.length - 2
    }
  }
  if (!(min <= max)) return null
  if (min === max) return log ? [min / 2, max * 2] : [min - 0.5, max + 0.5]
  // The first bucket of a long run ends a little after zero: the axis begins at zero all the same.
  return [!log && min > 0 && min < max * NEAR_ZERO ? 0 : min, max]
}

/** The y range that shows everything within `x`, with a little air. */
export function yExtent(lines: readonly Line[], x: Range, options: YRangeOptions): Range {
  const found = options.ignoreOutliers ? quantileExtent(lines, x, options) : fullExtent(lines, x, options)
  const [low, high] = found ?? (options.log ? [0.1, 1] : [0, 1])
  const padded = options.log ? padLog(low, high) : framed(padLinear(low, high), found, options.frame)
  const min = options.min !== null && (!options.log || options.min > 0) ? options.min : padded[0]
  const max = options.max !== null && (!options.log || options.max > 0) ? options.max : padded[1]
  if (min < max) return [min, max]
  return options.log ? [min, min * 10] : [min, min + 1]
}

/** The range with air, but for the sides where the values stay within the frame: there it is the frame's. */
function framed(padded: Range, found: Range | null, frame: Range | null): Range {
  if (frame === null) return padded
  if (found === null) return frame[0] < frame[1] ? frame : padded
  return [found[0] >= frame[0] ? frame[0] : padded[0], found[1] <= frame[1] ? frame[1] : padded[1]]
}

function fullExtent(lines: readonly Line[], x: Range, options: YRangeOptions): Range | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  const include = (extent: Range) => {
    if (extent[0] < min) min = extent[0]
    if (extent[1] > max) max = extent[1]
  }
  for (const { columns, y } of lines) {
    include(extentOf(y, columns.x, x, options.log))
    if (!options.bands) continue
    include(extentOf(columns.min, columns.x, x, options.log))
    include(extentOf(columns.max, columns.x, x, options.log))
  }
  return min <= max ? [min, max] : null
}

const rememberExtent = rememberLast<Float64Array, Range>()

/** The extent of the finite (and positive, on a log axis) values within `x`; upside down when there are none. */
function extentOf(values: Float64Array, xs: Float64Array, [from, to]: Range, log: boolean): Range {
  return rememberExtent(values, `${from} ${to} ${log}`, () => {
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index]
      // NaN fails every comparison; infinities must not count either.
      if (xs[index] < from || xs[index] > to || !(Math.abs(value) <= Number.MAX_VALUE) || (log && value <= 0)) continue
      if (value < min) min = value
      if (value > max) max = value
    }
    return [min, max]
  })
}

const OUTLIER_SHARE = 0.05

function quantileExtent(lines: readonly Line[], [from, to]: Range, options: YRangeOptions): Range | null {
  const values: number[] = []
  for (const { columns, y } of lines) {
    for (let index = 0; index < y.length; index += 1) {
      const inside = columns.x[index] >= from && columns.x[index] <= to
      if (inside && Number.isFinite(y[index]) && (!options.log || y[index] > 0)) values.push(y[index])
    }
  }
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  const cut = Math.floor(sorted.length * OUTLIER_SHARE)
  return [sorted[cut], sorted[sorted.length - 1 - cut]]
}

function padLinear(low: number, high: number): Range {
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1
    return [low - room, high + room]
  }
  const room = (high - low) * 0.05
  // A quantity that is never negative keeps its zero line.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room]
}

function padLog(low: number, high: number): Range {
  if (low === high) return [low / 2, high * 2]
  const factor = (high / low) ** 0.04
  return [low / factor, high * factor]
}
