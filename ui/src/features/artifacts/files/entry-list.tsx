import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronDown, ChevronRight, Download, File, Folder, Link2 } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { Artifact, ArtifactEntry } from '~/api/types'
import type { EntryRow } from '~/features/artifacts/files/entry-rows'
import fileStyles from '~/features/files/file-list.module.css'
import { formatBytes, plural } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { Button } from '~/ui/button'
import { errorText, Skeleton } from '~/ui/message'
import { PlainText } from '~/ui/plain-text'
import styles from './entry-list.module.css'

const ROW_HEIGHT = 32
const INDENT = 18

interface EntryListProps {
  artifact: Artifact
  rows: readonly EntryRow[]
  chosen: string | null
  onToggle: (folder: string) => void
  onChoose: (path: string) => void
  /** Reads on in a folder; called when its last line comes into sight. */
  onMore: (folder: string) => void
  onRetry: () => void
}

/** The tree, of which only what is in sight is drawn. */
export function EntryList({ artifact, rows, chosen, onToggle, onChoose, onMore, onRetry }: EntryListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  })
  return (
    <div ref={scroller} className={fileStyles.scroller}>
      <ul className={fileStyles.list} style={{ height: virtual.getTotalSize() }} aria-label="Files">
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          const pages = row.kind === 'more' ? row.pages : ''
          return (
            <li key={`${row.kind} ${row.path} ${pages}`} className={fileStyles.row} style={{ top: start }}>
              {row.kind === 'folder' ? (
                <FolderLine row={row} onToggle={onToggle} />
              ) : row.kind === 'file' ? (
                <FileLine artifact={artifact} row={row} chosen={row.path === chosen} onChoose={onChoose} />
              ) : row.kind === 'more' ? (
                <MoreLine row={row} onMore={onMore} />
              ) : (
                <div className={styles.error} style={{ paddingLeft: 32 + row.depth * INDENT }} role="alert">
                  <span title={errorText(row.error)}>{errorText(row.error)}</span>
                  <Button look="ghost" onClick={onRetry}>
                    Try again
                  </Button>
                </div>
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function FolderLine({ row, onToggle }: { row: EntryRow & { kind: 'folder' }; onToggle: (folder: string) => void }) {
  const Chevron = row.open ? ChevronDown : ChevronRight
  return (
    <button
      type="button"
      className={`${fileStyles.line} ${fileStyles.folder}`}
      style={{ paddingLeft: 12 + row.depth * INDENT }}
      aria-expanded={row.open}
      title={row.path}
      onClick={() => onToggle(row.path)}
    >
      <Chevron size={14} className={fileStyles.icon} />
      <Folder size={14} className={fileStyles.icon} />
      <span className={fileStyles.name}>
        <PlainText text={row.name} />
      </span>
      <span className={fileStyles.quiet}>{plural(row.folder.file_count, 'file')}</span>
      <span className={fileStyles.size}>{formatBytes(row.folder.size_bytes)}</span>
    </button>
  )
}

interface FileLineProps {
  artifact: Artifact
  row: EntryRow & { kind: 'file' }
  chosen: boolean
  onChoose: (path: string) => void
}

function FileLine({ artifact, row: { entry, name, path, depth }, chosen, onChoose }: FileLineProps) {
  const Icon = entry.reference === null ? File : Link2
  return (
    <>
      <button
        type="button"
        className={fileStyles.line}
        style={{ paddingLeft: 32 + depth * INDENT }}
        aria-pressed={chosen}
        title={path}
        onClick={() => onChoose(path)}
      >
        <Icon size={14} className={fileStyles.icon} aria-label={entry.reference === null ? undefined : 'Reference'} />
        <span className={fileStyles.name}>
          <PlainText text={name} />
        </span>
        {entry.reference !== null && <span className={styles.uri}>{shortUri(entry)}</span>}
        <span className={fileStyles.size}>{entry.size_bytes === null ? '–' : formatBytes(entry.size_bytes)}</span>
      </button>
      {entry.reference === null ? (
        <a
          className={fileStyles.download}
          href={api.artifactFile(artifact, path, { download: 'true' })}
          download={name}
          aria-label={`Download ${name}`}
        >
          <Download size={14} />
        </a>
      ) : (
        <span className={fileStyles.download} />
      )}
    </>
  )
}

/** The scheme and host or bucket of a reference. */
function shortUri({ reference }: ArtifactEntry): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(reference ?? '')?.[0] ?? (reference ?? '').slice(0, 40)
}

function MoreLine({ row, onMore }: { row: EntryRow & { kind: 'more' }; onMore: (folder: string) => void }) {
  const { path } = row
  useEffect(() => onMore(path), [onMore, path])
  return (
    <div className={styles.more} style={{ paddingLeft: 32 + row.depth * INDENT }}>
      <Skeleton height={12} width={180} />
    </div>
  )
}
