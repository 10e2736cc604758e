import { expect, test } from 'vitest'
import { placeInColumn } from '~/features/artifacts/lineage/place-in-column'

const place = (wished: number[], heights = wished.map(() => 10), weights = wished.map(() => 1)) =>
  placeInColumn(wished, heights, 2, weights)

test('what has room stands where it wishes to', () => {
  expect(place([0, 50, 100])).toEqual([0, 50, 100])
  expect(place([])).toEqual([])
})

test('what overlaps moves apart by as much to both sides', () => {
  expect(place([50, 50])).toEqual([44, 56])
  expect(place([50, 50, 50])).toEqual([38, 50, 62])
})

test('order stays, whatever is wished', () => {
  expect(place([100, 0])).toEqual([44, 56])
})

test('groups that come to touch move together, and heights count', () => {
  expect(place([0, 0, 11, 200])).toEqual([-25 / 3, 11 / 3, 47 / 3, 200].map((value) => expect.closeTo(value, 9)))
  expect(place([0, 0], [10, 30])).toEqual([-11, 11])
})

test('what weighs more moves less', () => {
  expect(place([0, 0], [10, 10], [3, 1])).toEqual([-3, 9])
})
