import { expect, test } from 'vitest'
import { buildLines, inheritedUntil } from '~/charts/line'
import type { KeySeries } from '~/charts/series'
import { columnsOf } from '~/charts/test-series'

const data: KeySeries = {
  key: 'loss',
  grid: { key: 'loss', from: 0, width: 1, buckets: 3, exact: true },
  series: [
    { run: 'a/p/1', pointCount: 3, firstX: 0, lastX: 2, columns: columnsOf([0, 1, 2], [4, 2, 0]) },
    { run: 'a/p/2', pointCount: 1, firstX: 0, lastX: 0, columns: columnsOf([0], [1]) },
  ],
}
const looks = new Map([['a/p/1', { name: 'one', color: 'red', createdAt: 500, forkStep: 1 }]])

test('without smoothing the line is the mean, and runs without a look are left out', () => {
  const { columns } = data.series[0]
  expect(buildLines(data, looks, 0, 'step')).toEqual([
    { run: 'a/p/1', name: 'one', color: 'red', columns, y: columns.mean, original: null, inheritedUntil: 1 },
  ])
})

test('with smoothing the mean is kept as the original', () => {
  const [line] = buildLines(data, looks, 0.9, 'step')
  expect(line.original).toBe(data.series[0].columns.mean)
  expect([...line.y].every((value, index) => value >= [4, 2, 0][index])).toBe(true)
})

test('steps and times tell where a fork goes its own way, other axes do not', () => {
  const fork = { name: 'fork', color: 'red', createdAt: 500, forkStep: 7 }
  const kinds = ['step', 'wall_time', 'relative_time', 'metric'] as const
  expect(kinds.map((kind) => inheritedUntil(fork, kind))).toEqual([7, 500, null, null])
  expect(kinds.map((kind) => inheritedUntil({ ...fork, forkStep: null }, kind))).toEqual([null, null, null, null])
})
