import type { ArtifactPlace, Lineage, LineageArtifact, LineageRun } from '../src/api/types.ts'
import type { MockCollection, MockVersion } from './artifacts.ts'
import type { MockData } from './data.ts'
import { hashText, randomSource } from './random.ts'

/** What led to a version and what came of it, the nearest `limit` nodes, as the server says it. */
export function lineageOf(
  collections: readonly MockCollection[],
  data: MockData,
  place: ArtifactPlace,
  describe: (version: MockVersion) => LineageArtifact,
  limit: number,
): Lineage {
  const versions = new Map<string, MockVersion>()
  const madeBy = new Map<string, string[]>()
  const usedBy = new Map<string, string[]>()
  for (const { kind, members } of collections) {
    if (kind === 'registry') continue
    for (const version of members.values()) {
      const name = nameOf(version.place)
      versions.set(name, version)
      const run = version.details.logged_by
      if (run !== null) append(madeBy, runName(run), name)
      for (const user of version.users) append(usedBy, runName(user), name)
    }
  }
  const before = (name: string) => {
    const version = versions.get(name)
    if (version === undefined) return usedBy.get(name) ?? []
    return version.details.logged_by === null ? [] : [runName(version.details.logged_by)]
  }
  const after = (name: string) => versions.get(name)?.users.map(runName) ?? madeBy.get(name) ?? []

  const start = nameOf(place)
  const found = new Set([start])
  let truncated = false
  let [origins, results] = [[start], [start]]
  const step = (from: readonly string[], next: (name: string) => string[]) =>
    from.flatMap(next).filter((name) => {
      if (found.has(name)) return false
      if (found.size >= limit) truncated = true
      else found.add(name)
      return found.has(name)
    })
  while (origins.length > 0 || results.length > 0) {
    origins = step(origins, before)
    results = step(results, after)
  }
  const artifacts = [...found].filter((name) => versions.has(name))
  const runs = [...found].filter((name) => !versions.has(name))
  const edges: Lineage['edges'] = []
  for (const [artifact, name] of artifacts.entries()) {
    for (const user of after(name)) {
      if (found.has(user)) edges.push({ run: runs.indexOf(user), artifact, relation: 'used' })
    }
    for (const maker of before(name)) {
      if (found.has(maker)) edges.push({ run: runs.indexOf(maker), artifact, relation: 'logged' })
    }
  }
  return {
    artifacts: artifacts.map((name) => describe(versions.get(name)!)),
    runs: runs.map((name) => runOf(data, name)),
    edges,
    truncated,
  }
}

function runOf(data: MockData, name: string): LineageRun {
  const [entity, project, run_id] = name.split('/')
  const run = data.find(project, run_id)?.run
  return {
    entity,
    project,
    run_id,
    name: run?.name ?? null,
    state: run?.state ?? null,
    job_type: run?.job_type ?? null,
    created_at: run?.created_at ?? null,
  }
}

const nameOf = ({ entity, project, collection, version }: ArtifactPlace) =>
  `${entity}/${project}/${collection}:${version}`
const runName = ({ entity, project, run_id }: { entity: string; project: string; run_id: string }) =>
  `${entity}/${project}/${run_id}`

function append(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

/** A version of a made-up lineage; runs by their place in a list. */
export interface LineageStep {
  collection: string
  type: string
  by: number | null
  usedBy: number[]
}

/**
 * A lineage of a thousand nodes: a corpus is cut into parts, each part trains many models, some of which go on from another
 * one, and the best are evaluated on held-out data.
 */
export function thousandNodes(runCount: number): LineageStep[] {
  const random = randomSource(hashText('lineage'))
  const pick = (count: number) => Math.floor(random() * count)
  const parts = 6
  const trained = Math.min(412, runCount - 120)
  const evaluated = 84
  const training = Array.from({ length: trained }, (_, index) => parts + index)
  const evaluation = Array.from({ length: evaluated }, (_, index) => parts + trained + index)
  const models = training.map((run): LineageStep => ({ collection: 'net', type: 'model', by: run, usedBy: [] }))
  // Some runs go on from a model that was there before.
  for (const [place, run] of training.entries()) if (place > 40 && place % 9 === 0) models[pick(place)].usedBy.push(run)
  for (const run of evaluation) models[pick(trained)].usedBy.push(run)
  return [
    { collection: 'corpus', type: 'dataset', by: null, usedBy: Array.from({ length: parts }, (_, part) => part) },
    ...Array.from(
      { length: parts },
      (_, part): LineageStep => ({
        collection: 'corpus-part',
        type: 'dataset',
        by: part,
        usedBy: training.filter((run) => run % parts === part),
      }),
    ),
    { collection: 'held-out', type: 'dataset', by: 0, usedBy: evaluation },
    ...models,
    ...evaluation.map((run): LineageStep => ({ collection: 'scores', type: 'evaluation', by: run, usedBy: [] })),
  ]
}
