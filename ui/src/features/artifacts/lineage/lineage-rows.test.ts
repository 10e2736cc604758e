import { expect, test } from 'vitest'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { lineageRows, stepsText } from '~/features/artifacts/lineage/lineage-rows'
import { testLineage } from '~/features/artifacts/lineage/test-lineage'

test('rows go from origins over the version itself to results, then what is beside', () => {
  const graph = lineageGraph(testLineage('model', 'data > TRAIN > model > EVAL > report', 'data > OTHER'))
  expect(lineageRows(graph).map(({ node, steps }) => [nameOf(graph.nodes[node]), stepsText(steps)])).toEqual([
    ['data:v0', '2 steps before'],
    ['train', '1 step before'],
    ['model:v0', 'this version'],
    ['eval', '1 step after'],
    ['report:v0', '2 steps after'],
    ['other', 'beside'],
  ])
})

test('what is before and after stands where it is nearer', () => {
  const graph = lineageGraph(testLineage('data > CLEAN > data'))
  expect(lineageRows(graph)).toEqual([
    { node: 0, steps: 0 },
    { node: 1, steps: 1 },
  ])
})
