import { expect, test } from 'vitest'
import {
  groupsOnWay,
  wayTo,
  withGroupOpened,
  withKindToggled,
  withNodeGrouped,
  withNodeShown,
  withSideToggled,
} from '~/features/artifacts/lineage/change-view'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { testLineage, times } from '~/features/artifacts/lineage/test-lineage'
import { visibleGraph, WHOLE_LINEAGE } from '~/features/artifacts/lineage/visible-graph'

const graph = lineageGraph(testLineage('data > PREPARE > clean', ...times(7, 'clean > TRAIN# > model#')))
const idOf = (name: string) => graph.nodes.find((node) => nameOf(node) === name)!.id
const whole = visibleGraph(graph, WHOLE_LINEAGE)

test('the way leads over what hangs on each other', () => {
  const way = wayTo(graph, graph.indexOf.get(idOf('model4:v0'))!)
  expect(way.map((index) => nameOf(graph.nodes[index]))).toEqual([
    'data:v0',
    'prepare',
    'clean:v0',
    'train4',
    'model4:v0',
  ])
  expect(wayTo(graph, 0)).toEqual([0])
})

test('what is put away twice is as it was', () => {
  const once = withSideToggled(WHOLE_LINEAGE, 'down', idOf('prepare'))
  expect(visibleGraph(graph, once).nodes.map(({ id }) => id)).toEqual([idOf('data:v0'), idOf('prepare')])
  expect(withSideToggled(once, 'down', idOf('prepare'))).toEqual(WHOLE_LINEAGE)
  expect(withKindToggled(withKindToggled(WHOLE_LINEAGE, 'run train'), 'run train')).toEqual(WHOLE_LINEAGE)
})

test('a group is opened and closed', () => {
  const group = whole.nodes.find(({ kind }) => kind === 'group')!
  const opened = withGroupOpened(WHOLE_LINEAGE, group.id)
  const nodes = visibleGraph(graph, opened).nodes
  expect(nodes).toHaveLength(17)
  expect(groupsOnWay(graph, graph.indexOf.get(idOf('model2:v0'))!, nodes)).toEqual([group.id])
  expect(withNodeGrouped(opened, graph, group.members[3], nodes)).toEqual(WHOLE_LINEAGE)
})

test('a node that was put away, filtered out and in a group is shown, with the way to it', () => {
  let view = withSideToggled(WHOLE_LINEAGE, 'down', idOf('prepare'))
  view = withKindToggled(view, 'artifact model')
  view = withNodeShown(view, graph, graph.indexOf.get(idOf('model4:v0'))!)
  const shown = visibleGraph(graph, view).nodes
  const alone = shown.filter(({ kind }) => kind === 'artifact' || kind === 'run').map(({ id }) => id)
  expect(alone).toEqual(['data:v0', 'prepare', 'clean:v0', 'train4', 'model4:v0'].map(idOf))
  expect(shown.filter(({ kind }) => kind === 'group').map(({ members }) => members.length)).toEqual([6, 6])
  // Its run stood in a group, so that both go back.
  const model = graph.indexOf.get(idOf('model4:v0'))!
  expect(visibleGraph(graph, withNodeGrouped(view, graph, model, shown))).toEqual(whole)
})
