import { expect, test } from 'vitest'
import { xExtent, yExtent } from '~/charts/range'
import { lineOf } from '~/charts/test-series'

const plain = { log: false, bands: false, ignoreOutliers: false, frame: null, min: null, max: null }

test('x reaches over all lines and begins at zero when it nearly does', () => {
  expect(xExtent([lineOf('a', [3, 500], [1, 1]), lineOf('b', [100, 1_000], [1, 1])], false)).toEqual([0, 1_000])
  expect(xExtent([lineOf('a', [300, 500], [1, 1])], false)).toEqual([300, 500])
})

test('a log x axis leaves out zero', () => {
  expect(xExtent([lineOf('a', [0, 1, 100], [1, 1, 1])], true)).toEqual([1, 100])
})

test('no points have no extent, one point has some air', () => {
  expect(xExtent([lineOf('a', [], [])], false)).toBeNull()
  expect(xExtent([lineOf('a', [5], [1])], false)).toEqual([4.5, 5.5])
})

test('y keeps a margin and the zero line of what is never negative', () => {
  expect(yExtent([lineOf('a', [0, 1], [0, 100])], [0, 1], plain)).toEqual([0, 105])
  expect(yExtent([lineOf('a', [0, 1], [-100, 100])], [0, 1], plain)).toEqual([-110, 110])
})

test('only what is within x counts', () => {
  expect(yExtent([lineOf('a', [0, 1, 2], [1_000, 10, 20])], [1, 2], plain)).toEqual([9.5, 20.5])
})

test('the band counts when it is drawn', () => {
  const line = lineOf('a', [0, 1], [10, 20], { max: [10, 200], min: [10, 20] })
  expect(yExtent([line], [0, 1], { ...plain, bands: true })).toEqual([0.5, 209.5])
})

test('outliers fall outside on demand', () => {
  const y = Array.from({ length: 100 }, (_, index) => (index === 50 ? 1e6 : index))
  const [low, high] = yExtent([lineOf('a', [...y.keys()], y)], [0, 99], { ...plain, ignoreOutliers: true })
  expect([Math.round(low), Math.round(high)]).toEqual([1, 100])
})

test('bounds set by hand win, and nothing at all is zero to one', () => {
  expect(yExtent([lineOf('a', [0], [5])], [0, 1], { ...plain, min: -1, max: 3 })).toEqual([-1, 3])
  expect(yExtent([], [0, 1], plain)).toEqual([0, 1.05])
})

test('a frame is shown at least, and exactly where the values stay within it', () => {
  const y = (values: number[], frame: [number, number]) =>
    yExtent([lineOf('a', [0, 1], values)], [0, 1], { ...plain, frame })
  expect(y([20, 80], [0, 100])).toEqual([0, 100])
  expect(y([20, 100], [0, 100])).toEqual([0, 100])
  expect(y([50, 250], [0, 100])).toEqual([0, 260])
  expect(y([40, 60], [0, 0])).toEqual([0, 61])
  expect(yExtent([], [0, 1], { ...plain, frame: [0, 100] })).toEqual([0, 100])
})
