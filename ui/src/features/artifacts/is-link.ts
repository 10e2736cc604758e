import type { Artifact } from '~/api/types'

/** Whether a version stands in a collection that it was not logged into. */
export function isLink({ entity, project, collection, source }: Artifact): boolean {
  return source.entity !== entity || source.project !== project || source.collection !== collection
}
