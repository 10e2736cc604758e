import { expect, test } from 'vitest'
import { alignSeries } from '~/charts/align'

const column = (x: number[], y: number[]) => ({ x: Float64Array.from(x), y: Float64Array.from(y) })

test('series share every x of any of them, with NaN where they have no point', () => {
  const aligned = alignSeries([column([0, 2, 4], [1, 2, 3]), column([1, 2, 10], [7, 8, 9])])
  expect([...aligned.x]).toEqual([0, 1, 2, 4, 10])
  expect(aligned.y.map((y) => [...y])).toEqual([
    [1, Number.NaN, 2, 3, Number.NaN],
    [Number.NaN, 7, 8, Number.NaN, 9],
  ])
})

test('nothing aligns to nothing', () => {
  expect(alignSeries([])).toEqual({ x: new Float64Array(0), y: [] })
})
