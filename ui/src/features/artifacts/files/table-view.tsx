import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Artifact, JsonValue } from '~/api/types'
import { isEntryPath } from '~/features/artifacts/files/preview-kind'
import { cellText, mediaCell, sortedRows, type TableData } from '~/features/artifacts/files/table-data'
import { formatInteger, formatValue } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import styles from './table-view.module.css'

const ROW_HEIGHT = 30
/** Of rows with pictures in them. */
const MEDIA_HEIGHT = 92
const NUMBER_WIDTH = 56
/** So many rows are looked at to see how wide a column is and whether there are pictures in it. */
const LOOKED_AT = 50
const [NARROWEST, WIDEST, CHARACTER] = [84, 320, 7.2]
/** Longer text is cut where one cannot see it anyway: layout of megabytes in a cell takes seconds. */
const SHOWN_CHARACTERS = 400
const DIGITS = 7
/** No browser lets an element be much higher. */
const MAX_PIXELS = 16_000_000

interface TableViewProps {
  artifact: Artifact
  table: TableData
}

/** A table of any length and width, of which only what is in sight exists; a click on a heading sorts by it. */
export function TableView({ artifact, table: { columns, rows } }: TableViewProps) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const [sort, setSort] = useState<{ column: number; descending: boolean } | null>(null)
  const order = useMemo(() => (sort === null ? null : sortedRows(rows, sort.column, sort.descending)), [rows, sort])
  const widths = useMemo(() => columns.map((name, column) => widthOf(name, rows, column)), [columns, rows])
  const height = useMemo(() => (hasMedia(rows) ? MEDIA_HEIGHT : ROW_HEIGHT), [rows])
  const count = Math.min(rows.length, Math.floor(MAX_PIXELS / height))
  const vertical = useVirtualizer({
    count,
    getScrollElement: () => scroller,
    estimateSize: () => height,
    overscan: 8,
  })
  const horizontal = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller,
    estimateSize: (column) => widths[column],
    overscan: 2,
    paddingStart: NUMBER_WIDTH,
  })
  const shown = horizontal.getVirtualItems()
  const width = horizontal.getTotalSize()
  const sortBy = (column: number) => {
    if (sort?.column !== column) setSort({ column, descending: false })
    else setSort(sort.descending ? null : { column, descending: true })
  }
  return (
    <div className={styles.scroller} ref={setScroller}>
      <div className={styles.head} style={{ width }}>
        <span className={styles.number}>{formatInteger(rows.length)}</span>
        {shown.map(({ index, start, size }) => (
          <button
            key={index}
            type="button"
            className={styles.heading}
            data-numeric={typeof rows[0]?.[index] === 'number' || undefined}
            style={{ left: start, width: size }}
            title={columns[index]}
            aria-label={`Sort by ${columns[index]}`}
            onClick={() => sortBy(index)}
          >
            <span>{columns[index]}</span>
            {sort?.column === index && (sort.descending ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
          </button>
        ))}
      </div>
      <ul className={styles.rows} style={{ height: vertical.getTotalSize(), width }} aria-label="Rows">
        {vertical.getVirtualItems().map((item) => {
          const row = order === null ? item.index : order[item.index]
          return (
            <li
              key={item.index}
              className={styles.row}
              style={{ transform: `translateY(${item.start}px)`, height, width }}
            >
              <span className={styles.number}>{formatInteger(row)}</span>
              {shown.map(({ index, start, size }) => (
                <span key={index} className={styles.cell} style={{ left: start, width: size }}>
                  <Cell artifact={artifact} value={rows[row][index]} />
                </span>
              ))}
            </li>
          )
        })}
      </ul>
      {count < rows.length && (
        <p className={styles.end}>
          The first {formatInteger(count)} of {formatInteger(rows.length)} rows; sort the table to see others.
        </p>
      )}
    </div>
  )
}

function Cell({ artifact, value }: { artifact: Artifact; value: JsonValue | undefined }) {
  const media = mediaCell(value)
  if (media !== null && isEntryPath(media.path)) {
    const source = api.artifactFile(artifact, media.path)
    const label = media.caption ?? media.path
    if (media.kind === 'audio') {
      // biome-ignore lint/a11y/useMediaCaption: recordings have no captions
      return <audio className={styles.audio} controls preload="none" src={source} title={label} />
    }
    if (media.kind === 'video') {
      // biome-ignore lint/a11y/useMediaCaption: recordings have no captions
      return <video className={styles.media} controls preload="none" src={source} title={label} />
    }
    return <img className={styles.media} src={source} alt={label} title={label} loading="lazy" />
  }
  if (typeof value === 'number') {
    const text = Number.isInteger(value) ? formatInteger(value) : formatValue(value, DIGITS)
    return (
      <span className={styles.numeric} title={String(value)}>
        {text}
      </span>
    )
  }
  if (value === null || value === undefined) return <span className={styles.none}>–</span>
  const text = cellText(value)
  const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
  return (
    <span className={typeof value === 'string' ? styles.text : styles.other} title={short}>
      {short}
    </span>
  )
}

function hasMedia(rows: readonly JsonValue[][]): boolean {
  return rows.slice(0, LOOKED_AT).some((row) =>
    row.some((value) => {
      const media = mediaCell(value)
      return media !== null && media.kind !== 'audio' && isEntryPath(media.path)
    }),
  )
}

function widthOf(name: string, rows: readonly JsonValue[][], column: number): number {
  let characters = name.length + 3
  let least = NARROWEST
  for (const row of rows.slice(0, LOOKED_AT)) {
    const media = mediaCell(row[column])
    if (media === null) characters = Math.max(characters, cellText(row[column]).length)
    else least = Math.max(least, media.kind === 'image' ? 110 : media.kind === 'video' ? 170 : 260)
  }
  return Math.round(Math.min(WIDEST, Math.max(least, characters * CHARACTER + 28)))
}
