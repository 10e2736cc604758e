import type { SeriesColumns } from '~/charts/series'

/** A stretch of rows without a gap: from row `start` up to and without row `end`. */
export type Segment = [start: number, end: number]

/** The stretches of `y` that are finite (and positive, on a log axis): a line is drawn through each. */
export function segments(y: Float64Array, log: boolean): Segment[] {
  const found: Segment[] = []
  let start = -1
  for (let index = 0; index <= y.length; index += 1) {
    const drawn = index < y.length && Number.isFinite(y[index]) && (!log || y[index] > 0)
    if (drawn && start < 0) start = index
    if (!drawn && start >= 0) {
      found.push([start, index])
      start = -1
    }
  }
  return found
}

/**
 * Stretches cut after the last row with x up to `boundary`: what lies before it, and what comes after. The way between the
 * two, on a time axis perhaps hours in which nothing was logged, goes with what lies before.
 */
export function splitSegments(
  parts: readonly Segment[],
  x: Float64Array,
  boundary: number,
): { before: Segment[]; after: Segment[] } {
  const before: Segment[] = []
  const after: Segment[] = []
  for (const [start, end] of parts) {
    let cut = start
    while (cut < end && x[cut] <= boundary) cut += 1
    if (cut > start) before.push([start, Math.min(cut + 1, end)])
    if (cut < end) after.push([cut, end])
  }
  return { before, after }
}

/** Bands are noisy: what stands out has to be so many times as high as they usually are. */
const SPIKE_RATIO = 2.5

/**
 * The rows whose minimum or maximum stands out from both neighbours by at least `least` (in the units of `place`, that is
 * pixels) and far more than the band is high elsewhere: a one-point spike in a wide bucket, which a faint band would hide.
 */
export function spikes(columns: SeriesColumns, place: (value: number) => number, least: number): number[] {
  const found: number[] = []
  const { min, max, count } = columns
  const threshold = Math.max(least, SPIKE_RATIO * usualHeight(columns, place))
  for (let row = 0; row < count.length; row += 1) {
    if (count[row] < 2 || !Number.isFinite(min[row])) continue
    const left = Math.max(0, row - 1)
    const right = Math.min(count.length - 1, row + 1)
    // Pixels grow downwards: a higher value has a smaller place.
    const top = Math.min(placeOr(place, max[left], row, left), placeOr(place, max[right], row, right))
    const bottom = Math.max(placeOr(place, min[left], row, left), placeOr(place, min[right], row, right))
    const above = Number.isFinite(top) ? top - place(max[row]) : 0
    const below = Number.isFinite(bottom) ? place(min[row]) - bottom : 0
    if (above > threshold || below > threshold) found.push(row)
  }
  return found
}

/** The median height of the band, from some of its rows. */
function usualHeight({ min, max, count }: SeriesColumns, place: (value: number) => number): number {
  const heights: number[] = []
  const stride = Math.max(1, Math.floor(count.length / 64))
  for (let row = 0; row < count.length; row += stride) {
    const height = place(min[row]) - place(max[row])
    if (Number.isFinite(height)) heights.push(height)
  }
  heights.sort((a, b) => a - b)
  return heights[(heights.length - 1) >> 1] ?? 0
}

function placeOr(place: (value: number) => number, value: number, row: number, neighbour: number): number {
  return row === neighbour || !Number.isFinite(value) ? Number.NaN : place(value)
}
