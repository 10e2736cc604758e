import { float64, tableFromArrays, tableToIPC, uint32 } from '@uwdata/flechette'
import type { Grid, SeriesInfo, SeriesMetadata, SeriesRequest } from '../src/api/types.ts'
import { type MockData, type MockRun, SECONDS_OF_STEP, TEXT_KEY } from './data.ts'

const COLUMNS = [
  'series',
  'bucket',
  'x',
  'min',
  'max',
  'mean',
  'last',
  'count',
  'nan_count',
  'positive_infinity_count',
  'negative_infinity_count',
] as const
const UNSIGNED = new Set<string>([
  'series',
  'bucket',
  'count',
  'nan_count',
  'positive_infinity_count',
  'negative_infinity_count',
])
type Rows = Record<(typeof COLUMNS)[number], number[]>

function xColumn(
  data: MockData,
  mock: MockRun,
  key: string,
  request: SeriesRequest,
  steps: Float64Array,
): Float64Array {
  // A machine is measured in time, whatever the run goes on from.
  if (key.startsWith('_system/')) {
    const start = request.x.kind === 'wall_time' ? mock.run.created_at : 0
    return steps.map((step) => start + step * SECONDS_OF_STEP)
  }
  if (request.x.kind === 'relative_time') return steps.map((step) => data.timeOf(mock, step) - data.timeOf(mock, 0))
  if (request.x.kind === 'wall_time') return steps.map((step) => data.timeOf(mock, step))
  if (request.x.kind === 'metric') {
    const { values } = data.curve(mock, request.x.key)
    return steps.map((step) => values[Math.min(values.length - 1, step)])
  }
  return steps
}

/** Another metric need not rise with the step. */
function sortedByX(x: Float64Array, values: Float64Array): { x: Float64Array; values: Float64Array } {
  const order = Array.from(x.keys()).sort((a, b) => x[a] - x[b])
  return { x: Float64Array.from(order, (row) => x[row]), values: Float64Array.from(order, (row) => values[row]) }
}

/** The answer of `POST /series`: exact statistics of every bucket, as the server makes them. */
export function seriesAnswer(data: MockData, request: SeriesRequest): Uint8Array {
  const rows = Object.fromEntries(COLUMNS.map((name) => [name, [] as number[]])) as Rows
  const metadata: SeriesMetadata = { grids: [], series: [] }
  request.keys.forEach((key, gridIndex) => {
    const found = request.runs.flatMap((path) => {
      const [, project, id] = path.split('/')
      const mock = data.find(project, id)
      if (mock === undefined || key === TEXT_KEY || ![...mock.keys, ...mock.systemKeys].includes(key)) return []
      const curve = data.curve(mock, key)
      return [{ path, ...sortedByX(xColumn(data, mock, key, request, curve.steps), curve.values) }]
    })
    const grid = gridOf(key, request, found)
    metadata.grids.push(grid)
    for (const { path, values, x } of found) {
      const index = metadata.series.length
      metadata.series.push(infoOf(path, gridIndex, x))
      bucketRows(rows, index, grid, request.range, x, values)
    }
  })
  const types = Object.fromEntries(COLUMNS.map((name) => [name, UNSIGNED.has(name) ? uint32() : float64()]))
  const arrays = COLUMNS.map((name): [string, Float64Array | Uint32Array] => [
    name,
    UNSIGNED.has(name) ? Uint32Array.from(rows[name]) : Float64Array.from(rows[name]),
  ])
  const table = tableFromArrays(arrays, { types })
  table.schema.metadata = new Map([['steplog', JSON.stringify(metadata)]])
  const bytes = tableToIPC(table, { format: 'stream' })
  if (bytes === null) throw new Error('no bytes were made')
  return bytes
}

function infoOf(run: string, grid: number, x: Float64Array): SeriesInfo {
  return { run, grid, point_count: x.length, first_x: x[0], last_x: x[x.length - 1] }
}

function gridOf(key: string, request: SeriesRequest, found: readonly { x: Float64Array }[]): Grid {
  const from = request.range?.[0] ?? Math.min(...found.map(({ x }) => x[0]))
  const to = request.range?.[1] ?? Math.max(...found.map(({ x }) => x[x.length - 1]))
  if (found.length === 0) return { key, from: 0, width: 0, buckets: 0, exact: true }
  if (request.x.kind === 'step') {
    const width = Math.max(1, 2 ** Math.ceil(Math.log2((to - from + 1) / request.buckets)))
    const start = Math.floor(from / width) * width
    return { key, from: start, width, buckets: Math.floor((to - start) / width) + 1, exact: width === 1 }
  }
  return { key, from, width: (to - from) / request.buckets || 1, buckets: request.buckets, exact: false }
}

function bucketRows(
  rows: Rows,
  series: number,
  grid: Grid,
  range: SeriesRequest['range'],
  x: Float64Array,
  values: Float64Array,
) {
  let row = 0
  while (row < x.length) {
    if (range !== null && (x[row] < range[0] || x[row] > range[1])) {
      row += 1
      continue
    }
    const bucket = Math.floor((x[row] - grid.from) / grid.width)
    let [min, max, sum, finite, nan, up, down, count] = [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      0,
      0,
      0,
      0,
      0,
    ]
    let end = row
    while (
      end < x.length &&
      Math.floor((x[end] - grid.from) / grid.width) === bucket &&
      !(range !== null && x[end] > range[1])
    ) {
      const value = values[end]
      count += 1
      end += 1
      if (Number.isNaN(value)) nan += 1
      else if (value === Number.POSITIVE_INFINITY) up += 1
      else if (value === Number.NEGATIVE_INFINITY) down += 1
      else {
        finite += 1
        sum += value
        min = Math.min(min, value)
        max = Math.max(max, value)
      }
    }
    rows.series.push(series)
    rows.bucket.push(bucket)
    rows.x.push(x[end - 1])
    rows.min.push(finite > 0 ? min : Number.NaN)
    rows.max.push(finite > 0 ? max : Number.NaN)
    rows.mean.push(finite > 0 ? sum / finite : Number.NaN)
    rows.last.push(values[end - 1])
    rows.count.push(count)
    rows.nan_count.push(nan)
    rows.positive_infinity_count.push(up)
    rows.negative_infinity_count.push(down)
    row = end
  }
}
