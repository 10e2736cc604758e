import type { Collection } from '~/api/types'
import { groupBy } from '~/lib/group-by'

/** So many stages get a column each. */
const MAX_COLUMNS = 4

/** A registry: a project whose collections hold links. */
export interface Registry {
  entity: string
  project: string
  collections: Collection[]
  /** Aliases that most of the collections have, each of which is a column. `latest` is none: every collection has it. */
  stages: string[]
}

/** Registries by name, with the stages that are worth a column. */
export function registries(collections: readonly Collection[]): Registry[] {
  const groups = groupBy(collections, ({ project }) => project)
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([project, members]) => ({
      entity: members[0].entity,
      project,
      collections: [...members].sort((a, b) => (a.name < b.name ? -1 : 1)),
      stages: commonStages(members),
    }))
}

function commonStages(collections: readonly Collection[]): string[] {
  const counts = new Map<string, number>()
  for (const { aliases } of collections) {
    for (const { alias } of aliases) if (alias !== 'latest') counts.set(alias, (counts.get(alias) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1))
    .slice(0, MAX_COLUMNS)
    .map(([alias]) => alias)
}

/** Aliases of a collection that have no column. */
export function otherStages(collection: Collection, stages: readonly string[]): Collection['aliases'] {
  return collection.aliases.filter(({ alias }) => alias !== 'latest' && !stages.includes(alias))
}
