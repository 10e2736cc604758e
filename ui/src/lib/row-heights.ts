/**
 * Heights of a long list's rows, most of which are `base` high: only the others are kept. Answers take a binary search
 * among those.
 */
export class RowHeights {
  private extra = new Map<number, number>()
  private sorted: { rows: number[]; sums: number[] } | null = null

  constructor(readonly base: number) {}

  /** Says how high a row is; answers whether that is news. */
  set(row: number, height: number): boolean {
    const extra = height - this.base
    if ((this.extra.get(row) ?? 0) === extra) return false
    if (extra === 0) this.extra.delete(row)
    else this.extra.set(row, extra)
    this.sorted = null
    return true
  }

  /** Forgets rows outside of `from` (with it) and `to` (without it). */
  keep(from: number, to: number): void {
    for (const row of this.extra.keys()) if (row < from || row >= to) this.extra.delete(row)
    this.sorted = null
  }

  clear(): void {
    this.extra.clear()
    this.sorted = null
  }

  /** How many rows are not `base` high. */
  get size(): number {
    return this.extra.size
  }

  /** Where a row begins; for the number of rows, how high all of them are. */
  offsetOf(row: number): number {
    const { rows, sums } = this.index()
    const before = firstAtLeast(rows, row)
    return row * this.base + (before === 0 ? 0 : sums[before - 1])
  }

  /** The row at a place of at least 0. */
  rowAt(offset: number): number {
    const { rows, sums } = this.index()
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      const start = rows[middle] * this.base + (middle === 0 ? 0 : sums[middle - 1])
      if (start <= offset) low = middle + 1
      else high = middle
    }
    if (low === 0) return Math.floor(offset / this.base)
    const known = rows[low - 1]
    const end = (known + 1) * this.base + sums[low - 1]
    return offset < end ? known : known + 1 + Math.floor((offset - end) / this.base)
  }

  private index(): { rows: number[]; sums: number[] } {
    if (this.sorted !== null) return this.sorted
    const rows = [...this.extra.keys()].sort((a, b) => a - b)
    let sum = 0
    const sums = rows.map((row) => {
      sum += this.extra.get(row) ?? 0
      return sum
    })
    this.sorted = { rows, sums }
    return this.sorted
  }
}

/** Index of the first of rising `values` that is at least `target`; their number when none is. */
function firstAtLeast(values: readonly number[], target: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] < target) low = middle + 1
    else high = middle
  }
  return low
}
