import { expect, test } from 'vitest'
import { dominatedWeights } from '~/features/artifacts/lineage/dominated-weights'

const weigh = (next: number[][]) => [
  ...dominatedWeights(
    next,
    0,
    next.map(() => 1),
  ),
]

test('a vertex has the weight of all that is reached only through it', () => {
  expect(weigh([[1], [2, 3], [], []])).toEqual([4, 3, 1, 1])
  // Two ways lead to 3, so that neither of them has it alone.
  expect(weigh([[1, 2], [3], [3], [4], []])).toEqual([5, 1, 1, 2, 1])
})

test('circles and what is not reached', () => {
  expect(weigh([[1], [2], [1, 3], [0], [0]])).toEqual([4, 3, 2, 1, 0])
  expect(weigh([])).toEqual([])
})
