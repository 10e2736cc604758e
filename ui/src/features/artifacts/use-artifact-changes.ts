import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query'
import { sendJson } from '~/api/client'
import { CHANGE_OF_ARTIFACTS, keyOf } from '~/api/queries'
import type {
  Artifact,
  ArtifactPlace,
  Collection,
  LinkArtifactRequest,
  UpdateArtifactRequest,
  UpdateCollectionRequest,
} from '~/api/types'
import { artifactQuery, collectionQuery } from '~/features/artifacts/artifact-queries'
import { api, projectPath } from '~/lib/path-builder'
import { errorText } from '~/ui/message'
import { showToast } from '~/ui/toast-store'

/** What is there no more under its name: a version, or for `null` a whole collection. */
interface Gone {
  collection: string
  version: string | null
}

/**
 * Has all that is shown of a project's artifacts, and lists over all projects of its entity, read again; what is gone is not
 * asked for any more. The nouns of query keys are followed by collection and version.
 */
function useReadAgain() {
  const queries = useQueryClient()
  return ({ entity, project }: Pick<ArtifactPlace, 'entity' | 'project'>, gone?: Gone) => {
    const isGone = ({ queryKey: [, , , collection, version] }: { queryKey: QueryKey }) =>
      gone !== undefined && collection === gone.collection && (gone.version === null || version === gone.version)
    void queries.invalidateQueries({
      queryKey: keyOf.artifacts(projectPath(entity, project)),
      predicate: (query) => !isGone(query),
    })
    void queries.invalidateQueries({ queryKey: keyOf.artifactsOf(entity) })
  }
}

/** Changes what people may change of a version; what the server refuses is told in its words. */
export function useUpdateArtifact(place: ArtifactPlace) {
  const queries = useQueryClient()
  const readAgain = useReadAgain()
  return useMutation({
    mutationKey: CHANGE_OF_ARTIFACTS,
    mutationFn: (body: UpdateArtifactRequest) => sendJson<Artifact>('PATCH', api.version(place), body),
    onSuccess: (artifact) => {
      queries.setQueryData(artifactQuery(place).queryKey, artifact)
      readAgain(place)
    },
    onError: (error) => showToast(`Could not change the version: ${errorText(error)}`, { kind: 'error' }),
  })
}

/**
 * Deletes a version; of a registry, the link. The change lasts until `leave` has left the page of what is gone: the live
 * session asks for nothing of it before.
 */
export function useDeleteArtifact(place: ArtifactPlace, leave: () => Promise<void>) {
  const readAgain = useReadAgain()
  return useMutation({
    mutationKey: CHANGE_OF_ARTIFACTS,
    mutationFn: (deleteAliases: boolean) =>
      sendJson<void>('DELETE', api.version(place, '', deleteAliases ? { delete_aliases: 'true' } : {})),
    onSuccess: () => {
      readAgain(place, place)
      return leave()
    },
  })
}

type CollectionPlace = Pick<Collection, 'entity' | 'project' | 'name'>

/** Changes what people may change of a collection. After a new name `leave` goes to its page, as after a deletion. */
export function useUpdateCollection(
  { entity, project, name }: CollectionPlace,
  leave: (renamed: Collection) => Promise<void> = () => Promise.resolve(),
) {
  const queries = useQueryClient()
  const readAgain = useReadAgain()
  return useMutation({
    mutationKey: CHANGE_OF_ARTIFACTS,
    mutationFn: (body: UpdateCollectionRequest) =>
      sendJson<Collection>('PATCH', api.collection(entity, project, name), body),
    onSuccess: (collection) => {
      queries.setQueryData(collectionQuery(entity, project, collection.name).queryKey, collection)
      readAgain({ entity, project }, collection.name === name ? undefined : { collection: name, version: null })
      return collection.name === name ? undefined : leave(collection)
    },
    onError: (error) => showToast(`Could not change the collection: ${errorText(error)}`, { kind: 'error' }),
  })
}

/** Deletes a collection with all that is in it; `leave` as for a version. */
export function useDeleteCollection({ entity, project, name }: CollectionPlace, leave: () => Promise<void>) {
  const readAgain = useReadAgain()
  return useMutation({
    mutationKey: CHANGE_OF_ARTIFACTS,
    mutationFn: () => sendJson<void>('DELETE', api.collection(entity, project, name)),
    onSuccess: () => {
      readAgain({ entity, project }, { collection: name, version: null })
      return leave()
    },
  })
}

/** Where a version is linked to. */
export interface LinkTarget {
  project: string
  collection: string
  aliases: string[]
}

/** Links a version into a collection of a registry. */
export function useLinkArtifact(source: ArtifactPlace) {
  const readAgain = useReadAgain()
  const { entity } = source
  return useMutation({
    mutationKey: CHANGE_OF_ARTIFACTS,
    mutationFn: ({ project, collection, aliases }: LinkTarget) => {
      const body: LinkArtifactRequest = { source, aliases }
      return sendJson<Artifact>('POST', api.links(entity, project, collection), body)
    },
    onSuccess: (linked) => readAgain(linked),
  })
}
