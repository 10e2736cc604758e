import { useQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import type { Run, RunFile } from '~/api/types'
import { contentTag, PREVIEW_BYTES, textQuery } from '~/features/files/file-queries'
import { previewKind } from '~/features/files/file-tree'
import { indentJson } from '~/features/files/indent-json'
import { formatBytes } from '~/lib/format-number'
import { formatDateTime } from '~/lib/format-time'
import { api } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { DownloadLink } from '~/ui/download-link'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './file-preview.module.css'

interface FilePreviewProps {
  run: Run
  file: RunFile
  onClose: () => void
}

/** One file: what it is, and what is in it as far as that can be shown. */
export function FilePreview({ run, file, onClose }: FilePreviewProps) {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  const facts = [
    formatBytes(file.size_bytes),
    formatDateTime(file.modified_at ?? file.updated_at),
    ...(file.policy === null || file.policy === undefined ? [] : [`uploaded ${POLICIES[file.policy]}`]),
  ]
  return (
    <section className={styles.pane} aria-label={`File ${file.path}`}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h2>{name}</h2>
          <p className={styles.facts}>{facts.join(' · ')}</p>
          {file.sha256 !== null && file.sha256 !== undefined && (
            <p className={styles.hash} title="SHA-256">
              {file.sha256}
            </p>
          )}
        </div>
        <DownloadLink href={api.file(run.entity, run.project, run.id, file.path, { download: 'true' })} name={name}>
          Download
        </DownloadLink>
        <IconButton label="Close the preview" onClick={onClose}>
          <X size={15} />
        </IconButton>
      </header>
      <div className={styles.body}>
        <Content run={run} file={file} name={name} />
      </div>
    </section>
  )
}

const POLICIES = { live: 'as it changes', now: 'once', end: 'at the end' }

function Content({ run, file, name }: { run: Run; file: RunFile; name: string }) {
  // Another content has another address, so that what is shown follows the file.
  const source = api.file(run.entity, run.project, run.id, file.path, { v: contentTag(file) })
  switch (previewKind(file.media_type)) {
    case 'image':
      return <img className={styles.image} src={source} alt={name} />
    case 'audio':
      // biome-ignore lint/a11y/useMediaCaption: recordings of a run have no captions
      return <audio key={source} controls src={source} />
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: recordings of a run have no captions
      return <video key={source} className={styles.image} controls src={source} />
    case 'json':
    case 'text':
      return <Text run={run} file={file} />
    case 'none':
      return <Message title="No preview">Files of this kind can only be downloaded.</Message>
  }
}

function Text({ run, file }: { run: Run; file: RunFile }) {
  const { data: text, error, refetch } = useQuery(textQuery(run, file))
  if (text === undefined) {
    if (error !== null)
      return <ErrorMessage title="Could not read the file" error={error} onRetry={() => void refetch()} />
    return <Skeleton height={160} />
  }
  return (
    <>
      <pre className={styles.text}>{previewKind(file.media_type) === 'json' ? indentJson(text) : text}</pre>
      {file.size_bytes > PREVIEW_BYTES && (
        <p className={styles.facts}>The first {formatBytes(PREVIEW_BYTES)}; download the file to see all of it.</p>
      )}
    </>
  )
}
