import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronDown, ChevronRight, Download, File, Folder } from 'lucide-react'
import { useRef } from 'react'
import type { Run } from '~/api/types'
import type { FileRow } from '~/features/files/file-tree'
import { useNow } from '~/hooks/use-now'
import { formatBytes, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { api } from '~/lib/path-builder'
import styles from './file-list.module.css'

const ROW_HEIGHT = 32
const INDENT = 18

interface FileListProps {
  run: Run
  rows: readonly FileRow[]
  closed: ReadonlySet<string>
  chosen: string | null
  onToggle: (folder: string) => void
  onChoose: (file: string) => void
}

/** The tree, of which only what is in sight is drawn. */
export function FileList({ run, rows, closed, chosen, onToggle, onChoose }: FileListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  })
  return (
    <div ref={scroller} className={styles.scroller}>
      <ul className={styles.list} style={{ height: virtual.getTotalSize() }} aria-label="Files">
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          return (
            <li key={`${row.kind} ${row.path}`} className={styles.row} style={{ top: start }}>
              {row.kind === 'folder' ? (
                <FolderLine row={row} closed={closed.has(row.path)} onToggle={onToggle} />
              ) : (
                <FileLine run={run} row={row} chosen={row.path === chosen} onChoose={onChoose} />
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

interface FolderLineProps {
  row: FileRow & { kind: 'folder' }
  closed: boolean
  onToggle: (folder: string) => void
}

function FolderLine({ row, closed, onToggle }: FolderLineProps) {
  const Chevron = closed ? ChevronRight : ChevronDown
  return (
    <button
      type="button"
      className={`${styles.line} ${styles.folder}`}
      style={{ paddingLeft: 12 + row.depth * INDENT }}
      aria-expanded={!closed}
      onClick={() => onToggle(row.path)}
    >
      <Chevron size={14} className={styles.icon} />
      <Folder size={14} className={styles.icon} />
      <span className={styles.name}>{row.name}</span>
      <span className={styles.quiet}>{plural(row.count, 'file')}</span>
      <span className={styles.size}>{formatBytes(row.bytes)}</span>
    </button>
  )
}

interface FileLineProps {
  run: Run
  row: FileRow & { kind: 'file' }
  chosen: boolean
  onChoose: (file: string) => void
}

function FileLine({ run, row, chosen, onChoose }: FileLineProps) {
  const now = useNow()
  const time = row.file.modified_at ?? row.file.updated_at
  return (
    <>
      <button
        type="button"
        className={styles.line}
        style={{ paddingLeft: 32 + row.depth * INDENT }}
        aria-pressed={chosen}
        title={row.path}
        onClick={() => onChoose(row.path)}
      >
        <File size={14} className={styles.icon} />
        <span className={styles.name}>{row.name}</span>
        <span className={styles.quiet} title={formatDateTime(time)}>
          {formatRelative(time, now)}
        </span>
        <span className={styles.size}>{formatBytes(row.file.size_bytes)}</span>
      </button>
      <a
        className={styles.download}
        href={api.file(run.entity, run.project, run.id, row.path, { download: 'true' })}
        download={row.name}
        aria-label={`Download ${row.name}`}
      >
        <Download size={14} />
      </a>
    </>
  )
}
