import { expect, test } from 'vitest'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { testLineage } from '~/features/artifacts/lineage/test-lineage'
import { waysFromFirst } from '~/features/artifacts/lineage/ways-from-first'

function ways(...lines: string[]) {
  const graph = lineageGraph(testLineage(...lines))
  const lists = waysFromFirst(graph.up, graph.down)
  return (['up', 'down'] as const).map((direction) =>
    lists[direction].flatMap((next, from) =>
      next.map((to) => `${nameOf(graph.nodes[from])} ${nameOf(graph.nodes[to])}`),
    ),
  )
}

test('results are reached onwards, origins back, and what is beside from both', () => {
  const [up, down] = ways('model', 'data > TRAIN > model > EVAL > report', 'data > OTHER', 'truth > EVAL')
  expect(up.sort()).toEqual(['eval truth:v0', 'model:v0 train', 'train data:v0'])
  expect(down.sort()).toEqual(['data:v0 other', 'eval report:v0', 'model:v0 eval'])
})

test('a circle can be gone through both ways', () => {
  expect(ways('data > CLEAN > data')).toEqual([
    ['data:v0 clean', 'clean data:v0'],
    ['data:v0 clean', 'clean data:v0'],
  ])
  expect(waysFromFirst([], [])).toEqual({ up: [], down: [] })
})
