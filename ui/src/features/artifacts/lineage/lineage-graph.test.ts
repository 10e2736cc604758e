import { expect, test } from 'vitest'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { reach } from '~/features/artifacts/lineage/reach'
import { testLineage } from '~/features/artifacts/lineage/test-lineage'

test('arrows lead from what was used over the run to what it made', () => {
  const graph = lineageGraph(testLineage('data > TRAIN > model > EVAL > report', 'data > EVAL'))
  const arrows = graph.down.flatMap((list, from) => list.map((to) => [graph.nodes[from], graph.nodes[to]].map(nameOf)))
  expect(arrows).toEqual([
    ['data:v0', 'train'],
    ['data:v0', 'eval'],
    ['model:v0', 'eval'],
    ['train', 'model:v0'],
    ['eval', 'report:v0'],
  ])
  expect(graph.indexOf.get('artifact ada/demo/model:v0')).toBe(1)
  expect(graph.indexOf.get('run ada/demo/eval')).toBe(4)
  expect([...reach(graph.up, 2)].map((index) => nameOf(graph.nodes[index])).sort()).toEqual([
    'data:v0',
    'eval',
    'model:v0',
    'train',
  ])
})

test('a run that used and made the same version is both before and after it', () => {
  const graph = lineageGraph(testLineage('data > CLEAN > data'))
  expect([graph.up, graph.down]).toEqual([
    [[1], [0]],
    [[1], [0]],
  ])
  expect(reach(graph.down, 0)).toEqual(new Set([1]))
})
