import { useQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { sessionQuery } from '~/api/queries'
import type { Artifact, ArtifactEntry } from '~/api/types'
import { entryQuery } from '~/features/artifacts/files/entry-queries'
import { nameOf } from '~/features/artifacts/files/entry-rows'
import { MediaFile } from '~/features/artifacts/files/media-file'
import { MediaView } from '~/features/artifacts/files/media-view'
import { previewKind } from '~/features/artifacts/files/preview-kind'
import { ReferenceView } from '~/features/artifacts/files/reference-view'
import { TextView } from '~/features/artifacts/files/text-view'
import { curlCode } from '~/features/artifacts/usage-code'
import styles from '~/features/files/file-preview.module.css'
import { formatBytes } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { CopyButton } from '~/ui/copy-button'
import { DownloadLink } from '~/ui/download-link'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { PlainText } from '~/ui/plain-text'
import ownStyles from './entry-preview.module.css'

const TableFile = lazy(async () => ({ default: (await import('~/features/artifacts/files/table-file')).TableFile }))
const SceneFile = lazy(async () => ({
  default: (await import('~/features/artifacts/files/scene/scene-file')).SceneFile,
}))

interface EntryPreviewProps {
  artifact: Artifact
  path: string
  onChoose: (path: string | null) => void
}

/** One file: what it is, and what is in it as far as that can be shown. */
export function EntryPreview({ artifact, path, onChoose }: EntryPreviewProps) {
  const { data: entry, error, refetch } = useQuery(entryQuery(artifact, path))
  const { data: session } = useQuery(sessionQuery())
  const name = nameOf(path)
  const downloadable = entry !== undefined && entry !== null && entry.reference === null
  return (
    <section className={styles.pane} aria-label={`File ${path}`}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h2>
            <PlainText text={name} />
          </h2>
          {entry !== undefined && entry !== null && (
            <p className={styles.facts}>
              {entry.size_bytes === null ? 'size not known' : formatBytes(entry.size_bytes)}
              {entry.reference === null ? ` · MD5 ${entry.digest}` : ' · reference'}
            </p>
          )}
        </div>
        {downloadable && (
          <CopyButton
            label="Copy a curl command"
            text={curlCode(artifact, path, window.location.origin, session?.login_required ?? false)}
          />
        )}
        {downloadable && (
          <DownloadLink href={api.artifactFile(artifact, path, { download: 'true' })} name={name}>
            Download
          </DownloadLink>
        )}
        <IconButton label="Close the preview" onClick={() => onChoose(null)}>
          <X size={15} />
        </IconButton>
      </header>
      {entry === undefined ? (
        <div className={styles.body}>
          {error === null ? (
            <Skeleton height={160} />
          ) : (
            <ErrorMessage title="Could not read the file" error={error} onRetry={() => void refetch()} />
          )}
        </div>
      ) : entry === null ? (
        <Message title="There is no such file">This version has no file {path}.</Message>
      ) : (
        <Suspense
          fallback={
            <div className={styles.body}>
              <Skeleton height={160} />
            </div>
          }
        >
          <Content artifact={artifact} entry={entry} onChoose={onChoose} />
        </Suspense>
      )}
    </section>
  )
}

interface ContentProps {
  artifact: Artifact
  entry: ArtifactEntry
  onChoose: (path: string) => void
}

function Content({ artifact, entry, onChoose }: ContentProps) {
  const kind = previewKind(entry)
  switch (kind) {
    case 'table':
    case 'delimited':
      return <TableFile artifact={artifact} entry={entry} />
    case 'scene':
      return <SceneFile artifact={artifact} entry={entry} />
    case 'reference':
      return <ReferenceView entry={entry} />
    case 'image':
    case 'audio':
    case 'video':
      return (
        <div className={`${styles.body} ${ownStyles.media}`}>
          <MediaView artifact={artifact} kind={kind} path={entry.path} />
        </div>
      )
    case 'media':
      return <MediaFile artifact={artifact} entry={entry} onChoose={onChoose} />
    case 'markdown':
    case 'json':
    case 'text':
      return <TextView artifact={artifact} entry={entry} kind={kind} />
    case 'none':
      return <Message title="No preview">Files of this kind can only be downloaded.</Message>
  }
}
