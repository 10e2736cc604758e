import { expect, test } from 'vitest'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { testLineage, times } from '~/features/artifacts/lineage/test-lineage'
import {
  type LineageView,
  type VisibleGraph,
  visibleGraph,
  WHOLE_LINEAGE,
} from '~/features/artifacts/lineage/visible-graph'

const art = (name: string) => `artifact ada/demo/${name}:v0`
const run = (name: string) => `run ada/demo/${name}`

function show(ways: string[], view: Partial<LineageView> = {}) {
  const graph = lineageGraph(testLineage(...ways))
  const visible = visibleGraph(graph, { ...WHOLE_LINEAGE, ...view })
  const name = ({ kind, members }: VisibleGraph['nodes'][number]) => {
    const first = nameOf(graph.nodes[members[0]])
    return kind === 'group' ? `${members.length}×${first}` : kind === 'joint' ? `(${first})` : first
  }
  const names = visible.nodes.map(name)
  const links = visible.links.map(([from, to]) => `${names[from]} > ${names[to]}`).sort()
  const sides = visible.nodes.flatMap(({ up, down }, index) =>
    (['up', 'down'] as const).flatMap((way) => {
      const side = way === 'up' ? up : down
      return side === null ? [] : [`${names[index]} ${way} ${side.closed ? '+' : '-'}${side.count}`]
    }),
  )
  return { names, links, sides }
}

const FAN = ['data > PREPARE > clean', ...times(7, 'clean > TRAIN# > model#')]

test('many siblings, and what came of each, are shown as one', () => {
  expect(show(FAN)).toEqual({
    names: ['data:v0', 'prepare', 'clean:v0', '7×train0', '7×model0:v0'],
    links: ['7×train0 > 7×model0:v0', 'clean:v0 > 7×train0', 'data:v0 > prepare', 'prepare > clean:v0'],
    sides: ['data:v0 down -16', 'prepare down -15', 'clean:v0 down -14', '7×train0 down -7'],
  })
  expect(show(FAN, { grouped: false }).names).toHaveLength(17)
  expect(show(times(5, 'data > TRAIN# > model#')).names).toHaveLength(11)
})

test('a group is opened, and one of it stands apart', () => {
  const opened = show(FAN, { opened: new Set([`group down ${run('train0')}`]) })
  expect(opened.names).toEqual(expect.arrayContaining(['train0', 'train6', 'model0:v0', 'model6:v0']))
  expect(opened.names).toHaveLength(17)
  expect(show(FAN, { apart: new Set([run('train3'), art('model3')]) }).names).toEqual([
    'data:v0',
    'prepare',
    'clean:v0',
    '6×train0',
    'train3',
    '6×model0:v0',
    'model3:v0',
  ])
})

test('what is one after the other is not put together', () => {
  const chain =
    'data > TRAIN0 > model0 > TRAIN1 > model1 > TRAIN2 > model2 > TRAIN3 > model3 > TRAIN4 > model4 > TRAIN5 > model5'
  const { names } = show([chain, ...times(6, 'data > TRAIN#')])
  expect(names).toHaveLength(13)
})

test('a closed side hides what hangs on it alone, and says how much', () => {
  const ways = ['data > TRAIN > model > EVAL > report', 'data > EVAL']
  // The evaluation used the data too, so that it does not hang on the training alone.
  expect(show(ways).sides).toEqual(['data:v0 down -4', 'train down -1', 'eval down -1'])
  const all = { up: new Set<string>(), down: new Set([art('data')]) }
  expect(show(ways, { closed: all })).toEqual({ names: ['data:v0'], links: [], sides: ['data:v0 down +4'] })
  const evaluation = { up: new Set<string>(), down: new Set([run('eval')]) }
  expect(show(ways, { closed: evaluation }).sides).toEqual(['data:v0 down -3', 'train down -1', 'eval down +1'])
})

test('what a node hangs on is not put away with its other origins', () => {
  const ways = ['data > TRAIN > model', 'base > TRAIN', 'corpus > PREPARE > base']
  expect(show(ways).sides).toContain('train up -3')
  expect(show(ways, { closed: { up: new Set([run('train')]), down: new Set() } })).toEqual({
    names: ['data:v0', 'train', 'model:v0'],
    links: ['data:v0 > train', 'train > model:v0'],
    sides: ['data:v0 down -2', 'train up +3', 'train down -1'],
  })
})

test('what is filtered out is a joint where something passes through it, else nothing', () => {
  const ways = ['data > PREPARE > clean > TRAIN > model', 'clean > LOOK > picture']
  expect(show(ways, { hidden: new Set(['run prepare', 'run look', 'artifact picture']) })).toEqual({
    names: ['data:v0', '(prepare)', 'clean:v0', 'train', 'model:v0'],
    links: ['(prepare) > clean:v0', 'clean:v0 > train', 'data:v0 > (prepare)', 'train > model:v0'],
    sides: ['data:v0 down -3', 'clean:v0 down -2', 'train down -1'],
  })
  expect(show(ways, { hidden: new Set(['artifact data']) }).names[0]).toBe('data:v0')
})

test('a version alone', () => {
  expect(show(['data'])).toEqual({ names: ['data:v0'], links: [], sides: [] })
})
