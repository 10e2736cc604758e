import { X } from 'lucide-react'
import type { Artifact, DiffEntry } from '~/api/types'
import { ImageComparison } from '~/features/artifacts/diff/image-comparison'
import { TableComparison } from '~/features/artifacts/diff/table-comparison'
import { TextComparison } from '~/features/artifacts/diff/text-comparison'
import type { Side } from '~/features/artifacts/diff/use-side-text'
import { previewKind } from '~/features/artifacts/files/preview-kind'
import { formatBytes } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { DownloadLink } from '~/ui/download-link'
import { Message } from '~/ui/message'
import styles from './entry-comparison.module.css'

interface EntryComparisonProps {
  entry: DiffEntry
  movedFrom: string | null
  before: Artifact
  after: Artifact
  onClose: () => void
}

/** One path in two versions: what is not the same, as far as that can be shown. */
export function EntryComparison({ entry, movedFrom, before, after, onClose }: EntryComparisonProps) {
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
  const sides = [
    { artifact: before, entry: entry.before },
    { artifact: after, entry: entry.after },
  ] as const
  return (
    <section className={styles.pane} aria-label={`Changes of ${entry.path}`}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h2>{name}</h2>
          {(movedFrom !== null || name !== entry.path) && (
            <p className={styles.path}>{movedFrom === null ? entry.path : `${entry.path}, which was ${movedFrom}`}</p>
          )}
        </div>
        <IconButton label="Close the comparison" onClick={onClose}>
          <X size={15} />
        </IconButton>
      </header>
      <div className={styles.sides}>
        {sides.map((side) => (
          <SideFacts key={side.artifact.version} side={side} name={name} />
        ))}
      </div>
      <div className={styles.body}>
        <Content before={sides[0]} after={sides[1]} />
      </div>
    </section>
  )
}

function SideFacts({ side: { artifact, entry }, name }: { side: Side; name: string }) {
  if (entry === null) {
    return (
      <div className={styles.side}>
        <strong>{artifact.version}</strong>
        <span className={styles.quiet}>not there</span>
      </div>
    )
  }
  return (
    <div className={styles.side}>
      <strong>{artifact.version}</strong>
      <span className={styles.quiet}>
        {entry.size_bytes === null ? 'size not known' : formatBytes(entry.size_bytes)}
      </span>
      <code className={styles.hash} title={entry.sha256 === null ? entry.digest : `SHA-256 ${entry.sha256}`}>
        {(entry.sha256 ?? entry.digest).slice(0, 12)}
      </code>
      {entry.reference === null && (
        <DownloadLink href={api.artifactFile(artifact, entry.path, { download: 'true' })} name={name}>
          Download
        </DownloadLink>
      )}
    </div>
  )
}

function Content({ before, after }: { before: Side; after: Side }) {
  const shown = after.entry ?? before.entry
  if (shown === null) return null
  const kinds = [before.entry, after.entry].flatMap((entry) => (entry === null ? [] : [previewKind(entry)]))
  if (kinds.includes('reference')) return <References before={before} after={after} />
  switch (kinds[0]) {
    case 'image':
      return <ImageComparison before={before} after={after} />
    case 'table':
      return <TableComparison before={before} after={after} />
    case 'text':
    case 'json':
    case 'markdown':
    case 'delimited':
    case 'media':
      return <TextComparison before={before} after={after} isJson={kinds[0] === 'json' || kinds[0] === 'media'} />
    default:
      return <Message title="No comparison">Files of this kind can only be downloaded.</Message>
  }
}

/** What is only referred to is not read: where it is, and what is known of it. */
function References({ before, after }: { before: Side; after: Side }) {
  return (
    <dl className={styles.references}>
      {[before, after].map(({ artifact, entry }) => (
        <div key={artifact.version}>
          <dt>{artifact.version}</dt>
          <dd>
            {entry === null ? (
              'not there'
            ) : (
              <>
                <code>{entry.reference ?? 'with the version'}</code>
                <span className={styles.quiet}>digest {entry.digest}</span>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}
