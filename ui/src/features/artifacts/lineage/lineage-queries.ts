import { queryOptions } from '@tanstack/react-query'
import { getJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { ArtifactPlace, Lineage } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

/** So many versions and runs are asked for, the nearest ones. */
export const MAX_NODES = 2_000

/** Steps from versions to runs and from runs to versions: as far as the server goes. */
const MAX_DEPTH = 100

export const lineageQuery = (place: ArtifactPlace) =>
  queryOptions({
    queryKey: [
      ...keyOf.artifacts(projectPath(place.entity, place.project)),
      'lineage',
      place.collection,
      place.version,
    ],
    queryFn: ({ signal }) =>
      getJson<Lineage>(api.version(place, 'lineage', { depth: String(MAX_DEPTH), limit: String(MAX_NODES) }), signal),
  })
