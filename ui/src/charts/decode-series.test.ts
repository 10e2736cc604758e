import { expect, test } from 'vitest'
import { decodeSeries, seriesBounds } from '~/charts/decode-series'
import { MockData } from '../../mock/data'
import { seriesAnswer } from '../../mock/series'

test('rows ordered by series are cut where the series change', () => {
  expect([...seriesBounds(Uint32Array.of(0, 0, 2, 2, 2), 3)]).toEqual([0, 2, 2, 5])
})

test('an Arrow answer becomes one entry for each key with the columns of its runs', () => {
  const data = new MockData(1_800_000_000, [{ name: 'p', runs: 2, running: 0, length: 64, keys: ['a', 'b'] }])
  const runs = (data.runs.get('p') ?? []).map(({ run }) => `ada/p/${run.id}`)
  const request = { runs, keys: ['b', 'missing'], x: { kind: 'step' as const }, range: null, buckets: 16 }
  const [b, missing] = decodeSeries(seriesAnswer(data, request))
  expect(missing.series).toEqual([])
  expect(b.series.map(({ run }) => run)).toEqual(runs)
  expect(b.grid).toMatchObject({ key: 'b', from: 0, width: 4, exact: false })
  const { columns, pointCount } = b.series[0]
  expect(columns.count.reduce((sum, count) => sum + count, 0)).toBe(pointCount)
  const { values } = data.curve(data.find('p', runs[0].split('/')[2])!, 'b')
  expect([columns.min[0], columns.max[0], columns.last[0]]).toEqual([
    Math.min(...values.slice(0, 4)),
    Math.max(...values.slice(0, 4)),
    values[3],
  ])
})

test('an answer without any row is read', () => {
  const data = new MockData(0, [])
  const request = { runs: ['ada/p/x'], keys: ['a'], x: { kind: 'step' as const }, range: null, buckets: 16 }
  expect(decodeSeries(seriesAnswer(data, request)).map(({ key, series }) => [key, series])).toEqual([['a', []]])
})
