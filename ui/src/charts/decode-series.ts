import { tableFromIPC } from '@uwdata/flechette'
import type { SeriesMetadata } from '~/api/types'
import type { KeySeries, SeriesColumns } from '~/charts/series'

/** Reads the answer of `POST /series` into one entry for each key that was asked for, in the order of the request. */
export function decodeSeries(bytes: Uint8Array): KeySeries[] {
  const table = tableFromIPC(bytes)
  const text = table.schema.metadata?.get('steplog')
  if (text === undefined) throw new Error('the series answer has no steplog metadata')
  const metadata = JSON.parse(text) as SeriesMetadata
  const column = (name: string) => table.getChild(name)?.toArray()
  const float = (name: string) => toTyped(column(name), Float64Array)
  const unsigned = (name: string) => toTyped(column(name), Uint32Array)
  const all: SeriesColumns = {
    x: float('x'),
    min: float('min'),
    max: float('max'),
    mean: float('mean'),
    last: float('last'),
    count: unsigned('count'),
    nan: unsigned('nan_count'),
    positiveInfinity: unsigned('positive_infinity_count'),
    negativeInfinity: unsigned('negative_infinity_count'),
  }
  const keys: KeySeries[] = metadata.grids.map((grid) => ({ key: grid.key, grid, series: [] }))
  const bounds = seriesBounds(unsigned('series'), metadata.series.length)
  metadata.series.forEach((info, index) => {
    keys[info.grid].series.push({
      run: info.run,
      pointCount: info.point_count,
      firstX: Number(info.first_x),
      lastX: Number(info.last_x),
      columns: sliceColumns(all, bounds[index], bounds[index + 1]),
    })
  })
  return keys
}

/** The columns' rows from `start` up to `end`, sharing memory. */
export function sliceColumns(columns: SeriesColumns, start: number, end: number): SeriesColumns {
  return {
    x: columns.x.subarray(start, end),
    min: columns.min.subarray(start, end),
    max: columns.max.subarray(start, end),
    mean: columns.mean.subarray(start, end),
    last: columns.last.subarray(start, end),
    count: columns.count.subarray(start, end),
    nan: columns.nan.subarray(start, end),
    positiveInfinity: columns.positiveInfinity.subarray(start, end),
    negativeInfinity: columns.negativeInfinity.subarray(start, end),
  }
}

/** Where each series begins in rows that are ordered by series; one entry more than series. */
export function seriesBounds(series: Uint32Array, count: number): Uint32Array {
  const bounds = new Uint32Array(count + 1)
  let row = 0
  for (let index = 0; index < count; index += 1) {
    bounds[index] = row
    while (row < series.length && series[row] === index) row += 1
  }
  bounds[count] = row
  return bounds
}

/** An answer without rows has no batches, and columns with nulls come as plain arrays. */
function toTyped<T extends Float64Array | Uint32Array>(
  values: ArrayLike<unknown> | null | undefined,
  type: { new (length: number): T; from(values: ArrayLike<number>): T },
): T {
  if (values === null || values === undefined) return new type(0)
  if (values instanceof (type as unknown as typeof Float64Array)) return values as unknown as T
  return type.from(Array.from(values, (value) => (value === null ? Number.NaN : Number(value))))
}
