import type { Grid } from '~/api/types'

/** The buckets of one run and key as columns of equal length, ordered by x. */
export interface SeriesColumns {
  /** x of the last point of the bucket. */
  x: Float64Array
  /** Over the finite points of the bucket; NaN when it has none. */
  min: Float64Array
  max: Float64Array
  mean: Float64Array
  /** The point with the highest x, whatever it is. */
  last: Float64Array
  /** How many points, non-finite ones too. */
  count: Uint32Array
  nan: Uint32Array
  positiveInfinity: Uint32Array
  negativeInfinity: Uint32Array
}

/** One run of a chart. */
export interface RunSeries {
  /** `entity/project/id`. */
  run: string
  /** How many points the whole series has, in and out of the range asked for. */
  pointCount: number
  firstX: number
  lastX: number
  columns: SeriesColumns
}

/** All runs of one key: what one chart draws. */
export interface KeySeries {
  key: string
  grid: Grid
  series: RunSeries[]
}
