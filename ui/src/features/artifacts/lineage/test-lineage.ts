import type { Lineage, LineageArtifact, LineageRun } from '~/api/types'

const artifact = (name: string): LineageArtifact => ({
  entity: 'ada',
  project: 'demo',
  collection: name,
  version: 'v0',
  type: name.replace(/\d+$/, ''),
  aliases: [],
  digest: '',
  file_count: 1,
  size_bytes: 1,
  created_at: 0,
})

const run = (name: string): LineageRun => ({
  entity: 'ada',
  project: 'demo',
  run_id: name.toLowerCase(),
  name: name.toLowerCase(),
  state: 'finished',
  job_type: name.toLowerCase().replace(/\d+$/, ''),
  created_at: 0,
})

/** `data > TRAIN > model`: runs in capitals; the first version is the one that was asked for. Digits are not part of a type. */
export function testLineage(...ways: string[]): Lineage {
  const artifacts: string[] = []
  const runs: string[] = []
  const place = (list: string[], name: string) => {
    if (!list.includes(name)) list.push(name)
    return list.indexOf(name)
  }
  const isRun = (name: string) => name === name.toUpperCase()
  const edges: Lineage['edges'] = []
  for (const way of ways) {
    const names = way.split(' > ')
    for (const name of names) place(isRun(name) ? runs : artifacts, name)
    for (let index = 1; index < names.length; index += 1) {
      const [from, to] = [names[index - 1], names[index]]
      edges.push(
        isRun(to)
          ? { run: runs.indexOf(to), artifact: artifacts.indexOf(from), relation: 'used' }
          : { run: runs.indexOf(from), artifact: artifacts.indexOf(to), relation: 'logged' },
      )
    }
  }
  return { artifacts: artifacts.map(artifact), runs: runs.map(run), edges, truncated: false }
}

/** `count` ways, `#` in each its number. */
export function times(count: number, way: string): string[] {
  return Array.from({ length: count }, (_, index) => way.replaceAll('#', String(index)))
}
