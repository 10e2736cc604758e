import { expect, test } from 'vitest'
import { labelOf, searchNodes, textOf } from '~/features/artifacts/lineage/describe-node'
import { lineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { testLineage, times } from '~/features/artifacts/lineage/test-lineage'
import { visibleGraph, WHOLE_LINEAGE } from '~/features/artifacts/lineage/visible-graph'

const lineage = testLineage(...times(7, 'data > TRAIN# > model#'))
lineage.artifacts[0].aliases.push('latest', 'golden')
lineage.runs[1] = { ...lineage.runs[1], name: null, state: null, job_type: null }
const graph = lineageGraph(lineage)

test('what is written on nodes', () => {
  const nodes = visibleGraph(graph, { ...WHOLE_LINEAGE, grouped: false }).nodes.slice(0, 3)
  expect(nodes.map((node) => textOf(graph, node))).toEqual([
    { title: 'data', titleEnd: ':v0', note: 'data · latest · golden' },
    { title: 'train0', titleEnd: '', note: 'train · finished' },
    { title: 'train2', titleEnd: '', note: 'train · finished' },
  ])
  expect(labelOf(graph, nodes[0])).toBe('version data:v0, data, latest, golden')
  expect(labelOf(graph, nodes[1])).toBe('run train0, train, finished')
})

test('groups say how many of what they hold', () => {
  const groups = visibleGraph(graph, WHOLE_LINEAGE).nodes.filter(({ kind }) => kind === 'group')
  expect(groups.map((node) => textOf(graph, node))).toEqual([
    { title: '6 train runs', titleEnd: '', note: 'train0 … train6' },
    { title: '6 model versions', titleEnd: '', note: 'model0:v0 … model6:v0' },
  ])
  const versions = lineageGraph({
    ...lineage,
    artifacts: [
      ...lineage.artifacts.slice(0, 1),
      ...lineage.artifacts.slice(1).map((each, index) => ({ ...each, collection: 'net', version: `v${index}` })),
    ],
  })
  const nets = visibleGraph(versions, WHOLE_LINEAGE).nodes.filter(({ kind }) => kind === 'group')[1]
  expect(textOf(versions, nets)).toEqual({ title: 'net', titleEnd: '\u00a0× 6', note: 'versions v0 … v6' })
  expect(labelOf(versions, nets)).toBe('6 versions of net')
})

test('a search finds by name, type, alias and id, and what begins with it first', () => {
  const names = (search: string) => searchNodes(graph.nodes, search).map((index) => nameOf(graph.nodes[index]))
  expect(names('golden')).toEqual(['data:v0'])
  expect(names('MODEL 3')).toEqual(['model3:v0'])
  expect(names('train1')).toEqual(['train1'])
  expect(names('train').slice(0, 2)).toEqual(['train0', 'train1'])
  expect(names('v0 model').slice(0, 2)).toEqual(['model0:v0', 'model1:v0'])
  expect(names(' ')).toEqual([])
  const versions = lineageGraph({
    ...lineage,
    artifacts: lineage.artifacts.map((each, index) => ({
      ...each,
      collection: 'net',
      version: `v${40 + 400 * index}`,
    })),
  })
  expect(nameOf(versions.nodes[searchNodes(versions.nodes, 'net v40')[0]])).toBe('net:v40')
})
