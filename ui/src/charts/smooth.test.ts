import { expect, test } from 'vitest'
import { smooth } from '~/charts/smooth'

const run = (x: number[], y: number[], weight: number, span: number) => [
  ...smooth(Float64Array.from(x), Float64Array.from(y), weight, span),
]

test('weight zero changes nothing', () => {
  expect(run([0, 1, 2], [3, 1, 2], 0, 2)).toEqual([3, 1, 2])
})

test('the average is debiased: a constant stays constant from the first point on', () => {
  expect(run([0, 1, 2, 3], [5, 5, 5, 5], 0.9, 3).map((value) => Number(value.toFixed(9)))).toEqual([5, 5, 5, 5])
})

test('one thousandth of the range decays by the root of the weight', () => {
  // sqrt(0.25) = 0.5: (0 * 0.5 + 3) / (0.5 + 1)
  expect(run([0, 1], [0, 3], 0.25, 1_000)).toEqual([0, 2])
})

test('points that are not finite stay and are not averaged', () => {
  expect(run([0, 1, 2], [4, Number.NaN, 4], 0.5, 1_000)).toEqual([4, Number.NaN, 4])
  expect(run([0, 1, 2], [4, Number.POSITIVE_INFINITY, 4], 0.5, 1_000)).toEqual([4, Number.POSITIVE_INFINITY, 4])
})

test('twice as many points of the same curve give the same average', () => {
  const sparse = Array.from({ length: 101 }, (_, index) => index * 10)
  const dense = Array.from({ length: 201 }, (_, index) => index * 5)
  const curve = (x: number) => Math.sin(x / 200)
  const a = run(sparse, sparse.map(curve), 0.9, 1_000)
  const b = run(dense, dense.map(curve), 0.9, 1_000)
  expect(Math.abs((a.at(-1) ?? 0) - (b.at(-1) ?? 1))).toBeLessThan(0.02)
})
