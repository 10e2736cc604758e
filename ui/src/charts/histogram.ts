import type { JsonValue } from '~/api/types'
import { formatInteger, formatValue } from '~/lib/format-number'

/** Counts of numbers between edges, of which there is one more. */
export interface Histogram {
  counts: number[]
  edges: number[]
}

/** A histogram and the step at which it was logged. */
export interface HistogramAt {
  step: number
  histogram: Histogram
}

/** More bins than this nobody can tell apart. */
const MAX_BINS = 2_048

/** Reads a logged `{"_type": "histogram", "values": counts, "bins": edges}`; `null` for anything else. */
export function readHistogram(value: JsonValue | undefined): Histogram | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value._type !== 'histogram') return null
  const counts = numbers(value.values)
  const edges = numbers(value.bins) ?? unpacked(value.packedBins)
  if (counts === null || edges === null || counts.length === 0 || counts.length > MAX_BINS) return null
  if (edges.length !== counts.length + 1 || counts.some((count) => count < 0)) return null
  return edges.every((edge, index) => index === 0 || edge > edges[index - 1]) ? { counts, edges } : null
}

function numbers(value: JsonValue | undefined): number[] | null {
  if (!Array.isArray(value)) return null
  return value.every((each) => typeof each === 'number' && Number.isFinite(each)) ? (value as number[]) : null
}

/** Edges as `{"min": first, "size": width, "count": bins}`. */
function unpacked(value: JsonValue | undefined): number[] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const [min, size, count] = numbers([value.min, value.size, value.count]) ?? []
  if (min === undefined || !(size > 0) || !Number.isInteger(count) || count < 1 || count > MAX_BINS) return null
  return Array.from({ length: count + 1 }, (_, index) => min + index * size)
}

export function totalOf({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** The bin that a value falls into; -1 when it is in none. The last one has its upper edge too. */
export function binOf({ counts, edges }: Histogram, value: number): number {
  if (!(value >= edges[0] && value <= edges[counts.length])) return -1
  const above = edges.findIndex((edge) => edge > value)
  return above < 0 ? counts.length - 1 : above - 1
}

/** Many histograms over one scale: of each, how its numbers spread over rows of equal height. */
export interface HeatMap {
  low: number
  high: number
  /** For each histogram the share of its numbers in each row, from `low` up. */
  columns: Float64Array[]
  /** The largest of all these. */
  most: number
}

/** Spreads histograms over `rows` rows; a bin that lies in several has its share in each. */
export function heatMap(histograms: readonly Histogram[], rows: number): HeatMap {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const { counts, edges } of histograms) {
    // Empty bins at the ends are no part of the picture.
    const first = counts.findIndex((count) => count > 0)
    if (first < 0) continue
    low = Math.min(low, edges[first])
    high = Math.max(high, edges[counts.findLastIndex((count) => count > 0) + 1])
  }
  if (!(low < high)) return { low: 0, high: 1, columns: histograms.map(() => new Float64Array(rows)), most: 0 }
  const height = (high - low) / rows
  let most = 0
  const columns = histograms.map((histogram) => {
    const column = new Float64Array(rows)
    const total = totalOf(histogram) || 1
    histogram.counts.forEach((count, bin) => {
      if (count > 0)
        spread(column, (histogram.edges[bin] - low) / height, (histogram.edges[bin + 1] - low) / height, count / total)
    })
    for (const share of column) most = Math.max(most, share)
    return column
  })
  return { low, high, columns, most }
}

/** Adds `share` to the rows between two places, each as much as lies in it. */
function spread(column: Float64Array, from: number, to: number, share: number): void {
  const last = Math.min(column.length - 1, Math.ceil(to) - 1)
  for (let row = Math.max(0, Math.floor(from)); row <= last; row += 1) {
    const inside = Math.min(to, row + 1) - Math.max(from, row)
    column[row] += (share * inside) / (to - from)
  }
}

/** `0.12 to 0.15`. */
export function binText(edges: readonly number[], bin: number): string {
  return `${formatValue(edges[bin], 4)} to ${formatValue(edges[bin + 1], 4)}`
}

/** `1 204 of 10 000 (12 %)`. */
export function shareText(count: number, total: number): string {
  const share = total === 0 ? 0 : (100 * count) / total
  return `${formatInteger(count)} of ${formatInteger(total)} (${formatValue(share, 2)} %)`
}
