import { queryOptions, useQuery } from '@tanstack/react-query'
import type { Artifact, ArtifactEntry } from '~/api/types'
import { readEntryBytes } from '~/features/artifacts/files/entry-queries'
import { nameOf } from '~/features/artifacts/files/entry-rows'
import { sceneFormat } from '~/features/artifacts/files/preview-kind'
import { readScene } from '~/features/artifacts/files/scene/read-scene'
import { SceneView } from '~/features/artifacts/files/scene/scene-view'
import styles from '~/features/files/file-preview.module.css'
import { formatBytes } from '~/lib/format-number'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'

/** What a laptop takes well. */
const SCENE_BYTES = 128 * 1024 * 1024

/** A scene of a version. All of three.js comes with this file, when the first scene is opened. */
export function SceneFile({ artifact, entry }: { artifact: Artifact; entry: ArtifactEntry }) {
  const tooLarge = (entry.size_bytes ?? 0) > SCENE_BYTES
  const { data: scene, error, refetch } = useQuery({ ...sceneQuery(artifact, entry), enabled: !tooLarge })
  if (tooLarge) {
    return (
      <Message title="Too large to show">
        Scenes of up to {formatBytes(SCENE_BYTES)} are shown; this one can be downloaded.
      </Message>
    )
  }
  if (scene !== undefined) return <SceneView scene={scene} label={nameOf(entry.path)} />
  return (
    <div className={styles.body}>
      {error === null ? (
        <Skeleton height={320} />
      ) : (
        <ErrorMessage title="Cannot be shown as a scene" error={error} onRetry={() => void refetch()} />
      )}
    </div>
  )
}

const sceneQuery = (artifact: Artifact, { path }: ArtifactEntry) =>
  queryOptions({
    queryKey: ['scene', artifact.entity, artifact.project, artifact.collection, artifact.version, path],
    queryFn: async ({ signal }) => {
      const readFile = (name: string) => readEntryBytes(artifact, name, signal)
      return readScene(sceneFormat(path) ?? 'obj', await readFile(path), path, readFile)
    },
    staleTime: Number.POSITIVE_INFINITY,
    // What was drawn once has given its parts back to the graphics card.
    gcTime: 0,
    retry: false,
  })
