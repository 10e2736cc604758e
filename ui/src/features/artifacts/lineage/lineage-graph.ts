import type { Lineage, LineageArtifact, LineageRun } from '~/api/types'

export type LineageNode =
  | { kind: 'artifact'; id: string; artifact: LineageArtifact }
  | { kind: 'run'; id: string; run: LineageRun }

/** A lineage as nodes and arrows, in the direction in which data flows: from what was used to what was made of it. */
export interface LineageGraph {
  /** Versions, the one that was asked for first, then runs. */
  nodes: readonly LineageNode[]
  /** Nodes by their id. */
  indexOf: ReadonlyMap<string, number>
  /** What each node came from, by index and each once. */
  up: readonly (readonly number[])[]
  /** What came of each node. */
  down: readonly (readonly number[])[]
}

export type Direction = 'up' | 'down'

export function artifactId({ entity, project, collection, version }: Omit<LineageArtifact, 'type'>): string {
  return `artifact ${entity}/${project}/${collection}:${version}`
}

export function runId({ entity, project, run_id }: Pick<LineageRun, 'entity' | 'project' | 'run_id'>): string {
  return `run ${entity}/${project}/${run_id}`
}

export function lineageGraph({ artifacts, runs, edges }: Lineage): LineageGraph {
  const nodes: LineageNode[] = [
    ...artifacts.map((artifact) => ({ kind: 'artifact' as const, id: artifactId(artifact), artifact })),
    ...runs.map((run) => ({ kind: 'run' as const, id: runId(run), run })),
  ]
  const up = nodes.map(() => new Set<number>())
  const down = nodes.map(() => new Set<number>())
  for (const { run, artifact, relation } of edges) {
    const ends = [artifact, artifacts.length + run]
    const [from, to] = relation === 'used' ? ends : ends.reverse()
    down[from].add(to)
    up[to].add(from)
  }
  return {
    nodes,
    indexOf: new Map(nodes.map(({ id }, index) => [id, index])),
    up: up.map((each) => [...each]),
    down: down.map((each) => [...each]),
  }
}

/** What kind of thing a node is, by which nodes are filtered and grouped: the type of a version, the job type of a run. */
export function typeOf(node: LineageNode): string {
  return node.kind === 'artifact' ? node.artifact.type : (node.run.job_type ?? '')
}

/** What a node is called where the reader knows the project. */
export function nameOf(node: LineageNode): string {
  if (node.kind === 'artifact') return `${node.artifact.collection}:${node.artifact.version}`
  return node.run.name ?? node.run.run_id
}
