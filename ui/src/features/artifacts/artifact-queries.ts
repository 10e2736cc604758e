import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { getJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type {
  Artifact,
  ArtifactList,
  ArtifactPlace,
  ArtifactRuns,
  Collection,
  CollectionKind,
  CollectionList,
  Run,
  RunArtifacts,
} from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

const PAGE_COLLECTIONS = 100
const PAGE_VERSIONS = 100
const PAGE_RUNS = 50

/** What of an entity's collections is asked for. */
export interface CollectionsRequest {
  entity: string
  /** `null`: of all its projects. */
  project: string | null
  kind?: CollectionKind
  type?: string
  search?: string
}

/** Collections, by type and name, page by page. */
export const collectionsQuery = ({ entity, project, kind, type, search }: CollectionsRequest) =>
  infiniteQueryOptions({
    queryKey: [
      ...(project === null ? keyOf.artifactsOf(entity) : keyOf.artifacts(projectPath(entity, project))),
      'collections',
      { kind, type, search },
    ],
    queryFn: ({ signal, pageParam }) => {
      const params: Record<string, string> = { limit: String(PAGE_COLLECTIONS) }
      if (kind !== undefined) params.kind = kind
      if (type !== undefined) params.type = type
      if (search !== undefined && search !== '') params.search = search
      if (pageParam !== null) params.cursor = pageParam
      return getJson<CollectionList>(api.collections(entity, project, params), signal)
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
  })

export const collectionQuery = (entity: string, project: string, collection: string) =>
  queryOptions({
    queryKey: [...keyOf.artifacts(projectPath(entity, project)), 'collection', collection],
    queryFn: ({ signal }) => getJson<Collection>(api.collection(entity, project, collection), signal),
  })

/** Versions of a collection, newest first, page by page. */
export const versionsQuery = (entity: string, project: string, collection: string) =>
  infiniteQueryOptions({
    queryKey: [...keyOf.artifacts(projectPath(entity, project)), 'versions', collection],
    queryFn: ({ signal, pageParam }) => {
      const params: Record<string, string> = { limit: String(PAGE_VERSIONS) }
      if (pageParam !== null) params.cursor = pageParam
      return getJson<ArtifactList>(api.versions(entity, project, collection, params), signal)
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

/** A version by its number or by an alias. */
export const artifactQuery = (place: ArtifactPlace) =>
  queryOptions({
    queryKey: [
      ...keyOf.artifacts(projectPath(place.entity, place.project)),
      'version',
      place.collection,
      place.version,
    ],
    queryFn: ({ signal }) => getJson<Artifact>(api.version(place), signal),
  })

/** The runs that used a version, newest first, page by page. */
export const artifactRunsQuery = (place: ArtifactPlace) =>
  infiniteQueryOptions({
    queryKey: [...keyOf.artifacts(projectPath(place.entity, place.project)), 'runs', place.collection, place.version],
    queryFn: ({ signal, pageParam }) => {
      const params: Record<string, string> = { limit: String(PAGE_RUNS) }
      if (pageParam !== null) params.cursor = pageParam
      return getJson<ArtifactRuns>(api.version(place, 'runs', params), signal)
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })

/** What a run made and used. */
export const runArtifactsQuery = (run: Pick<Run, 'entity' | 'project' | 'id'>) =>
  queryOptions({
    queryKey: [...keyOf.artifacts(projectPath(run.entity, run.project)), 'of-run', run.id],
    queryFn: ({ signal }) => getJson<RunArtifacts>(api.runArtifacts(run.entity, run.project, run.id), signal),
  })
