import type { Line } from '~/charts/line'
import type { SeriesColumns } from '~/charts/series'

/** Columns of single points, as a chart at full detail has them; `parts` overrides some. */
export function columnsOf(
  x: number[],
  y: number[],
  parts: Partial<Record<keyof SeriesColumns, number[]>> = {},
): SeriesColumns {
  const finite = y.map((value) => (Number.isFinite(value) ? value : Number.NaN))
  const float = (values: number[]) => Float64Array.from(values)
  const unsigned = (values: number[]) => Uint32Array.from(values)
  return {
    x: float(x),
    min: float(parts.min ?? finite),
    max: float(parts.max ?? finite),
    mean: float(parts.mean ?? finite),
    last: float(parts.last ?? y),
    count: unsigned(parts.count ?? y.map(() => 1)),
    nan: unsigned(parts.nan ?? y.map((value) => (Number.isNaN(value) ? 1 : 0))),
    positiveInfinity: unsigned(
      parts.positiveInfinity ?? y.map((value) => (value === Number.POSITIVE_INFINITY ? 1 : 0)),
    ),
    negativeInfinity: unsigned(
      parts.negativeInfinity ?? y.map((value) => (value === Number.NEGATIVE_INFINITY ? 1 : 0)),
    ),
  }
}

export function lineOf(
  run: string,
  x: number[],
  y: number[],
  parts: Partial<Record<keyof SeriesColumns, number[]>> = {},
): Line {
  const columns = columnsOf(x, y, parts)
  return { run, name: run, color: '#000', columns, y: columns.mean, original: null, inheritedUntil: null }
}
