import { expect, test } from 'vitest'
import { segments, spikes, splitSegments } from '~/charts/band'
import { columnsOf } from '~/charts/test-series'

const place = (value: number) => 100 - value

test('a line breaks where there is no finite value', () => {
  expect(segments(Float64Array.of(1, 2, Number.NaN, 3, Number.POSITIVE_INFINITY), false)).toEqual([
    [0, 2],
    [3, 4],
  ])
})

test('on a log axis a line breaks at zero and below too', () => {
  expect(segments(Float64Array.of(1, 0, -1, 2, 3), true)).toEqual([
    [0, 1],
    [3, 5],
  ])
})

test('a line is cut where its own part begins, and the way there is not its own', () => {
  const x = Float64Array.of(0, 10, 20, 30, 40)
  const cut = (boundary: number) =>
    splitSegments(
      [
        [0, 2],
        [3, 5],
      ],
      x,
      boundary,
    )
  expect(cut(10)).toEqual({ before: [[0, 2]], after: [[3, 5]] })
  expect(cut(5)).toEqual({
    before: [[0, 2]],
    after: [
      [1, 2],
      [3, 5],
    ],
  })
  expect(cut(30)).toEqual({
    before: [
      [0, 2],
      [3, 5],
    ],
    after: [[4, 5]],
  })
  expect(cut(-1)).toEqual({
    before: [],
    after: [
      [0, 2],
      [3, 5],
    ],
  })
  expect(cut(99)).toEqual({
    before: [
      [0, 2],
      [3, 5],
    ],
    after: [],
  })
})

test('a single point far above both neighbours is a spike, noise is not', () => {
  const columns = columnsOf([0, 1, 2, 3, 4], [10, 10, 10, 10, 10], {
    min: [9, 9, 9, 9, 9],
    max: [11, 11, 60, 12, 11],
    count: [4, 4, 4, 4, 4],
  })
  expect(spikes(columns, place, 3)).toEqual([2])
})

test('spikes downwards count, buckets of one point do not', () => {
  const columns = columnsOf([0, 1, 2, 3], [10, 10, 10, 10], {
    min: [9, -50, 9, -50],
    max: [11, 11, 11, 11],
    count: [4, 4, 4, 1],
  })
  expect(spikes(columns, place, 3)).toEqual([1])
})
