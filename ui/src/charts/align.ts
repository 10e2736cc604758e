/** One x and y column. */
export interface XYColumns {
  x: Float64Array
  y: Float64Array
}

export interface AlignedColumns {
  /** Every x of any series, rising, each once. */
  x: Float64Array
  /** For each series its y at that x; NaN where it has no point there. */
  y: Float64Array[]
}

/** Joins series of differing x into columns over one shared x, as a table or a CSV file needs them. */
export function alignSeries(series: readonly XYColumns[]): AlignedColumns {
  const distinct = new Set<number>()
  for (const { x } of series) for (const value of x) distinct.add(value)
  const shared = Float64Array.from(distinct).sort()
  const y = series.map((columns) => {
    const out = new Float64Array(shared.length).fill(Number.NaN)
    let row = 0
    for (let index = 0; index < columns.x.length; index += 1) {
      while (shared[row] < columns.x[index]) row += 1
      out[row] = columns.y[index]
    }
    return out
  })
  return { x: shared, y }
}
