import { useQuery } from '@tanstack/react-query'
import type { Artifact, ArtifactEntry, JsonValue } from '~/api/types'
import { entryTextQuery } from '~/features/artifacts/files/entry-queries'
import { MediaView } from '~/features/artifacts/files/media-view'
import { isEntryPath } from '~/features/artifacts/files/preview-kind'
import { mediaCell } from '~/features/artifacts/files/table-data'
import { TextView } from '~/features/artifacts/files/text-view'
import styles from '~/features/files/file-preview.module.css'
import { Button } from '~/ui/button'
import { ErrorMessage, Skeleton } from '~/ui/message'
import ownStyles from './media-file.module.css'

interface MediaFileProps {
  artifact: Artifact
  entry: ArtifactEntry
  onChoose: (path: string) => void
}

/** What a media object says about its file, and that file. */
export function MediaFile({ artifact, entry, onChoose }: MediaFileProps) {
  const { data: text, error, refetch } = useQuery(entryTextQuery(artifact, entry))
  if (text === undefined) {
    return (
      <div className={styles.body}>
        {error === null ? (
          <Skeleton height={160} />
        ) : (
          <ErrorMessage title="Could not read the file" error={error} onRetry={() => void refetch()} />
        )}
      </div>
    )
  }
  const path = pathIn(text)
  if (path === null) return <TextView artifact={artifact} entry={entry} kind="json" />
  const media = mediaCell(parse(text) ?? null)
  return (
    <div className={styles.body}>
      {media !== null && (
        <div className={ownStyles.media}>
          <MediaView artifact={artifact} kind={media.kind} path={path} />
          {media.caption !== null && <p className={styles.facts}>{media.caption}</p>}
        </div>
      )}
      <Button onClick={() => onChoose(path)}>Open {path}</Button>
      <pre className={`${styles.text} ${ownStyles.json}`}>{JSON.stringify(parse(text), null, 2)}</pre>
    </div>
  )
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** The path of the file that a media object is about, if it is one of the version. */
function pathIn(text: string): string | null {
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return typeof value.path === 'string' && isEntryPath(value.path) ? value.path : null
}
