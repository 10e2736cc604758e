import { expect, test } from 'vitest'
import { lineageGraph } from '../src/features/artifacts/lineage/lineage-graph.ts'
import { reach } from '../src/features/artifacts/lineage/reach.ts'
import { MockArtifacts } from './artifacts.ts'
import { MockData } from './data.ts'

const artifacts = new MockArtifacts(new MockData(1_800_000_000), 1_800_000_000)
const lineageOf = (project: string, name: string, number: number, limit: number) =>
  artifacts.lineage(artifacts.find(project, name), number, limit)

test('a lineage of a thousand hangs together', () => {
  const lineage = lineageOf('archive-2000', 'corpus', 0, 2_000)
  const graph = lineageGraph(lineage)
  expect(graph.nodes.length).toBeGreaterThanOrEqual(1_000)
  expect(lineage.truncated).toBe(false)
  expect(lineage.artifacts[0]).toMatchObject({ collection: 'corpus', version: 'v0', type: 'dataset' })
  // All of it came of the corpus.
  expect(reach(graph.down, 0).size).toBe(graph.nodes.length - 1)
})

test('only the nearest nodes are told when there are more than asked for', () => {
  const lineage = lineageOf('archive-2000', 'corpus', 0, 10)
  expect([lineage.artifacts.length + lineage.runs.length, lineage.truncated]).toEqual([10, true])
})

test('a version is told with what it came from', () => {
  const graph = lineageGraph(lineageOf('archive-2000', 'scores', 3, 2_000))
  const origins = [...reach(graph.up, 0)].map((index) => graph.nodes[index])
  const collections = new Set(origins.flatMap((node) => (node.kind === 'artifact' ? [node.artifact.collection] : [])))
  expect([...collections].sort()).toEqual(['corpus', 'corpus-part', 'held-out', 'net'])
})
