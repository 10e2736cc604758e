import type { Mark } from '~/charts/draw'
import type { Line } from '~/charts/line'

/** Index of the value in rising `values` that is nearest to `target`; the lower one of two as near; -1 when empty. */
export function nearestIndex(values: Float64Array, target: number): number {
  let low = 0
  let high = values.length - 1
  if (high < 0) return -1
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] < target) low = middle + 1
    else high = middle
  }
  if (low > 0 && target - values[low - 1] <= values[low] - target) return low - 1
  return low
}

/** One run's point at the cursor. */
export interface TooltipRow {
  run: string
  name: string
  color: string
  /** Row in the run's columns. */
  index: number
  x: number
  value: number
  original: number | null
  min: number
  max: number
  mean: number
  last: number
  count: number
  nan: number
  positiveInfinity: number
  negativeInfinity: number
}

/**
 * The point of each run nearest to `x`, highest value first, runs with no finite value there last. Runs that begin more
 * than `tolerance` after `x` or end as long before it are left out.
 */
export function rowsAt(lines: readonly Line[], x: number, tolerance: number): TooltipRow[] {
  const rows: TooltipRow[] = []
  for (const line of lines) {
    const { columns } = line
    const index = nearestIndex(columns.x, x)
    if (index < 0) continue
    const first = columns.x[0]
    const last = columns.x[columns.x.length - 1]
    if (x < first - tolerance || x > last + tolerance) continue
    rows.push({
      run: line.run,
      name: line.name,
      color: line.color,
      index,
      x: columns.x[index],
      value: line.y[index],
      original: line.original === null ? null : line.original[index],
      min: columns.min[index],
      max: columns.max[index],
      mean: columns.mean[index],
      last: columns.last[index],
      count: columns.count[index],
      nan: columns.nan[index],
      positiveInfinity: columns.positiveInfinity[index],
      negativeInfinity: columns.negativeInfinity[index],
    })
  }
  return rows.sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1))
}

function rank(row: TooltipRow): number {
  return Number.isNaN(row.value) ? Number.NEGATIVE_INFINITY : row.value
}

/** The marks within `tolerance` of `x`. */
export function marksAt(marks: readonly Mark[], x: number, tolerance: number): Mark[] {
  return marks.filter((mark) => Math.abs(mark.x - x) <= tolerance)
}

/** The row whose value is nearest to `y`, measured by `distance` (pixels, so that a log axis counts as it looks). */
export function nearestRow(rows: readonly TooltipRow[], distance: (value: number) => number): TooltipRow | null {
  let best: TooltipRow | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const current = Number.isFinite(row.value) ? distance(row.value) : Number.MAX_VALUE
    if (current < bestDistance) {
      best = row
      bestDistance = current
    }
  }
  return best
}

/** At most `limit` rows around `center`, in their order, and how many are left out. */
export function windowRows(
  rows: readonly TooltipRow[],
  center: TooltipRow | null,
  limit: number,
): { rows: TooltipRow[]; hidden: number } {
  if (rows.length <= limit) return { rows: [...rows], hidden: 0 }
  const middle = center === null ? 0 : rows.indexOf(center)
  const start = Math.max(0, Math.min(middle - (limit >> 1), rows.length - limit))
  return { rows: rows.slice(start, start + limit), hidden: rows.length - limit }
}
