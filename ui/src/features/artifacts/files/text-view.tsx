import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Artifact, ArtifactEntry } from '~/api/types'
import { entryTextQuery, TEXT_BYTES } from '~/features/artifacts/files/entry-queries'
import { NumberedText } from '~/features/artifacts/files/numbered-text'
import styles from '~/features/files/file-preview.module.css'
import { indentJson } from '~/features/files/indent-json'
import { LazyMarkdown } from '~/features/markdown/lazy-markdown'
import { formatBytes } from '~/lib/format-number'
import { Segmented } from '~/ui/field'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import ownStyles from './text-view.module.css'

interface TextViewProps {
  artifact: Artifact
  entry: ArtifactEntry
  kind: 'text' | 'json' | 'markdown'
}

/** A text as it is, JSON with a line for each member, markdown formatted or as it was written. */
export function TextView({ artifact, entry, kind }: TextViewProps) {
  const { data: text, error, refetch } = useQuery(entryTextQuery(artifact, entry))
  const [look, setLook] = useState<'formatted' | 'source'>('formatted')
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
  if (text === '') return <Message title="Empty">The file has no bytes.</Message>
  const formatted = kind === 'markdown' && look === 'formatted'
  return (
    <div className={styles.body}>
      {kind === 'markdown' && (
        <div className={ownStyles.looks}>
          <Segmented
            label="Look"
            value={look}
            options={[
              { value: 'formatted', label: 'Formatted' },
              { value: 'source', label: 'Source' },
            ]}
            onChange={setLook}
          />
        </div>
      )}
      {formatted ? (
        <div className={ownStyles.markdown}>
          <LazyMarkdown text={text} />
        </div>
      ) : (
        <NumberedText text={kind === 'json' ? indentJson(text) : text} />
      )}
      {(entry.size_bytes ?? 0) > TEXT_BYTES && (
        <p className={styles.facts}>The first {formatBytes(TEXT_BYTES)}; download the file to see all of it.</p>
      )}
    </div>
  )
}
