import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query'
import { getJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { ArtifactDiff, ArtifactPlace } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

const PAGE_ENTRIES = 1_000
/** More than this is told, not shown. */
export const MAX_ENTRIES = 100_000

/** What is not the same in a version as in another one of its collection, page by page. */
export const diffQuery = (place: ArtifactPlace, from: string) =>
  infiniteQueryOptions({
    queryKey: [
      ...keyOf.artifacts(projectPath(place.entity, place.project)),
      'diff',
      place.collection,
      place.version,
      from,
    ],
    queryFn: ({ signal, pageParam }) => {
      const params: Record<string, string> = { from, limit: String(PAGE_ENTRIES) }
      if (pageParam !== null) params.cursor = pageParam
      return getJson<ArtifactDiff>(api.version(place, 'diff', params), signal)
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }, pages) => (pages.length * PAGE_ENTRIES < MAX_ENTRIES ? next_cursor : null),
    placeholderData: keepPreviousData,
  })
