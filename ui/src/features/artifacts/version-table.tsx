import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type ReactNode, useMemo, useState } from 'react'
import type { Artifact, Collection } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { metadataCell, metadataColumns } from '~/features/artifacts/metadata-columns'
import { RunLink } from '~/features/artifacts/run-link'
import { useNow } from '~/hooks/use-now'
import { formatBytes, formatInteger } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { TagList } from '~/ui/chip-editor'
import styles from './version-table.module.css'

const ROW_HEIGHT = 44
/** Where lines have two rows of text. */
const NARROW_HEIGHT = 64
const NARROW = '(max-width: 760px)'
/** The next page is asked for so many lines before the end of the last one. */
const AHEAD = 30

interface VersionTableProps {
  collection: Collection
  versions: readonly Artifact[]
  onEnd: () => void
}

/** Versions, newest first; only the lines in sight exist. */
export function VersionTable({ collection, versions, onEnd }: VersionTableProps) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const [narrow] = useState(() => window.matchMedia(NARROW).matches)
  const now = useNow()
  const virtualizer = useVirtualizer({
    count: versions.length,
    getScrollElement: () => scroller,
    estimateSize: () => (narrow ? NARROW_HEIGHT : ROW_HEIGHT),
    overscan: 12,
    onChange: (instance) => {
      const last = instance.getVirtualItems().at(-1)
      if (last !== undefined && last.index >= versions.length - AHEAD) onEnd()
    },
  })
  const linked = collection.kind === 'registry'
  const said = useMemo(() => metadataColumns(versions), [versions])
  const heads = (names: readonly string[]) =>
    names.map((name) => (
      <span key={name} data-column={name}>
        {name}
      </span>
    ))
  return (
    <div className={styles.table} ref={setScroller} style={{ '--said': said.length } as CSSProperties}>
      <div className={styles.head} data-said={said.length > 0} aria-hidden>
        {heads(['Version', 'Aliases', 'Tags'])}
        {said.map((key) => (
          <span key={key} data-column="Metadata" title={key}>
            {key}
          </span>
        ))}
        {heads(['Digest', 'Files', 'Size', linked ? 'Source' : 'Made by', 'When'])}
      </div>
      <ul className={styles.rows} aria-label="Versions" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => (
          <Row
            key={versions[item.index].version}
            artifact={versions[item.index]}
            collection={collection}
            now={now}
            said={said}
            top={item.start}
            height={item.size}
          />
        ))}
      </ul>
    </div>
  )
}

interface RowProps {
  artifact: Artifact
  collection: Collection
  now: number
  /** Keys of the metadata that have a column. */
  said: readonly string[]
  top: number
  height: number
}

function Row({ artifact, collection, now, said, top, height }: RowProps) {
  const { entity, project, collection: name, version, source } = artifact
  const cell = (column: string, children: ReactNode, title?: string) => (
    <span data-column={column} title={title}>
      {children}
    </span>
  )
  return (
    <li className={styles.row} data-said={said.length > 0} style={{ transform: `translateY(${top}px)`, height }}>
      {cell(
        'Version',
        <Link
          to="/$entity/$project/artifacts/$collection/$version"
          params={{ entity, project, collection: name, version }}
          className={styles.version}
        >
          {version}
        </Link>,
      )}
      {cell('Aliases', <AliasChips aliases={artifact.aliases} protectedAliases={collection.protected_aliases} />)}
      {cell('Tags', <TagList tags={artifact.tags} />)}
      {said.map((key) => {
        const text = metadataCell(artifact.metadata[key])
        return (
          <span key={key} data-column="Metadata" title={text === '' ? undefined : `${key}: ${text}`}>
            {text}
          </span>
        )
      })}
      {cell('Digest', <code>{artifact.digest.slice(0, 8)}</code>, artifact.digest)}
      {cell('Files', formatInteger(artifact.file_count))}
      {cell('Size', formatBytes(artifact.size_bytes))}
      {collection.kind === 'registry'
        ? cell(
            'Source',
            <Link to="/$entity/$project/artifacts/$collection/$version" params={source} className={styles.source}>
              {source.project}/{source.collection}:{source.version}
            </Link>,
          )
        : cell('Made by', artifact.logged_by === null ? null : <RunLink run={artifact.logged_by} />)}
      {cell('When', formatRelative(artifact.created_at, now), formatDateTime(artifact.created_at))}
    </li>
  )
}
