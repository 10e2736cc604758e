import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { getJson, request } from '~/api/client'
import type { Artifact, ArtifactEntry, ArtifactEntryList } from '~/api/types'
import { api } from '~/lib/path-builder'

const PAGE_ENTRIES = 1_000
/** So much of a text is read to show it. */
export const TEXT_BYTES = 256 * 1024
/** What is in a version never changes; a number is never used again. */
const FOR_EVER = { staleTime: Number.POSITIVE_INFINITY }

function keyOfVersion({ entity, project, collection, version, digest }: Artifact): readonly string[] {
  return ['artifact-files', entity, project, collection, version, digest]
}

/** A page of what is in a folder. */
export const folderQuery = (artifact: Artifact, folder: string, cursor: string | null) =>
  queryOptions({
    queryKey: [...keyOfVersion(artifact), 'folder', folder, cursor],
    queryFn: ({ signal }) => {
      const params: Record<string, string> = { limit: String(PAGE_ENTRIES) }
      if (folder !== '') params.folder = folder
      if (cursor !== null) params.cursor = cursor
      return getJson<ArtifactEntryList>(api.version(artifact, 'entries', params), signal)
    },
    ...FOR_EVER,
  })

/** All files whose path has a text in it. */
export const foundEntriesQuery = (artifact: Artifact, search: string) =>
  infiniteQueryOptions({
    queryKey: [...keyOfVersion(artifact), 'search', search],
    queryFn: ({ signal, pageParam }) => {
      const params: Record<string, string> = { recursive: 'true', search, limit: String(PAGE_ENTRIES) }
      if (pageParam !== null) params.cursor = pageParam
      return getJson<ArtifactEntryList>(api.version(artifact, 'entries', params), signal)
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    ...FOR_EVER,
  })

/** One file by its path; `null` when there is none. */
export const entryQuery = (artifact: Artifact, path: string) =>
  queryOptions({
    queryKey: [...keyOfVersion(artifact), 'entry', path],
    queryFn: async ({ signal }) => {
      const params = { recursive: 'true', search: path, limit: String(PAGE_ENTRIES) }
      const page = await getJson<ArtifactEntryList>(api.version(artifact, 'entries', params), signal)
      return page.entries.find((entry) => entry.path === path) ?? null
    },
    ...FOR_EVER,
  })

/** The beginning of a file as text. */
export const entryTextQuery = (artifact: Artifact, entry: ArtifactEntry, maxBytes = TEXT_BYTES) =>
  queryOptions({
    queryKey: [...keyOfVersion(artifact), 'text', entry.path, maxBytes],
    queryFn: async ({ signal }) => {
      // A range of an empty file is none.
      const headers: HeadersInit = (entry.size_bytes ?? 0) > maxBytes ? { Range: `bytes=0-${maxBytes - 1}` } : {}
      return (await request(api.artifactFile(artifact, entry.path), { signal, headers })).text()
    },
    ...FOR_EVER,
    gcTime: 60_000,
  })

/** A whole file. */
export async function readEntryBytes(artifact: Artifact, path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await request(api.artifactFile(artifact, path), { signal })).arrayBuffer()
}
