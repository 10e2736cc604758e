import type { XAxis } from '~/api/types'
import { formatCount, formatInteger, formatTicks, formatValue } from '~/lib/format-number'
import { formatDateTime, formatDuration } from '~/lib/format-time'

export type XKind = XAxis['kind']

/** The x of a point in words, for tooltips: `step 1 204`, `4m 10s`. */
export function describeX(x: number, kind: XKind): string {
  if (kind === 'step') return `step ${formatInteger(x)}`
  if (kind === 'relative_time') return formatDuration(x)
  if (kind === 'wall_time') return formatDateTime(x)
  return formatValue(x)
}

/** Labels along x. */
export function formatXTicks(values: readonly number[], kind: XKind): string[] {
  if (kind === 'relative_time') return values.map(formatDuration)
  if (kind === 'step') return formatStepTicks(values)
  return formatTicks(values)
}

/** Steps in little room (`12.5k`), or in full where that would make them all the same; none between whole steps. */
function formatStepTicks(values: readonly number[]): string[] {
  const whole = values.filter(Number.isInteger)
  const format = new Set(whole.map(formatCount)).size < whole.length ? formatInteger : formatCount
  return values.map((value) => (Number.isInteger(value) ? format(value) : ''))
}

/** How far apart labels along x must stand, CSS pixels: steps of a narrow part of a long run are written in full. */
export function xTickSpace(kind: XKind, min: number, max: number): number {
  if (kind === 'wall_time') return 64
  const narrow = kind === 'step' && max >= 10_000 && max - min < max * 0.02
  return narrow ? 84 : 56
}

const SECONDS_OF_DAY = 86_400

/** Labels along wall time: the date where a day begins, else the time, as finely as `gap` between ticks needs. */
export function formatTimeTicks(values: readonly number[], gap: number): string[] {
  return values.map((value) => {
    const date = new Date(value * 1000)
    const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0
    if (gap >= SECONDS_OF_DAY || (midnight && gap >= 60)) {
      return date.toLocaleDateString('en', { month: 'short', day: 'numeric' })
    }
    return formatDateTime(value).slice(11, gap >= 60 ? 16 : 19)
  })
}

/** Distances between ticks that read well as a duration. */
export const DURATION_INCREMENTS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600,
  7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 8_640_000, 31_536_000,
]
