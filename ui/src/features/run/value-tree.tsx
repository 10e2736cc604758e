import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { JsonObject } from '~/api/types'
import { shownText, type ValueRow, valueKind, valueRows, valueText } from '~/features/run/value-rows'
import { formatInteger } from '~/lib/format-number'
import { CopyButton } from '~/ui/copy-button'
import { TextInput } from '~/ui/field'
import { Panel } from '~/ui/panel'
import styles from './value-tree.module.css'

const ROW_HEIGHT = 30
const MAX_HEIGHT = 540
const SEARCH_FROM = 8

/** A nested object as a searchable tree; only the lines in sight exist, so ten thousand keys are fine. */
export function ValueTree({ title, values, empty }: { title: string; values: JsonObject; empty: string }) {
  const [search, setSearch] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const rows = useMemo(() => valueRows(values, search, closed), [values, search, closed])
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
    initialRect: { width: 0, height: MAX_HEIGHT },
  })
  const toggle = (path: string) =>
    setClosed((before) => {
      const next = new Set(before)
      if (!next.delete(path)) next.add(path)
      return next
    })
  const count = Object.keys(values).length
  return (
    <Panel
      title={title}
      aside={
        <>
          {(count >= SEARCH_FROM || search !== '') && (
            <TextInput
              type="search"
              className={styles.search}
              aria-label={`Search ${title.toLowerCase()}`}
              placeholder="Search"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          )}
          {count > 0 && (
            <CopyButton text={JSON.stringify(values, null, 2)} label={`Copy ${title.toLowerCase()} as JSON`} />
          )}
        </>
      }
    >
      {rows.length === 0 ? (
        <p className={styles.empty}>{search === '' ? empty : `Nothing here says “${search}”.`}</p>
      ) : (
        <div className={styles.scroller} ref={setScroller} style={{ maxHeight: MAX_HEIGHT }}>
          <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
            {virtualizer.getVirtualItems().map((item) => (
              <div
                key={rows[item.index].path}
                className={styles.line}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row row={rows[item.index]} open={!closed.has(rows[item.index].path)} onToggle={toggle} />
              </div>
            ))}
          </div>
        </div>
      )}
    </Panel>
  )
}

function Row({ row, open, onToggle }: { row: ValueRow; open: boolean; onToggle: (path: string) => void }) {
  const indent = { paddingLeft: 16 + row.depth * 18 }
  if (row.branch) {
    return (
      <button
        type="button"
        className={styles.branch}
        style={indent}
        aria-expanded={open}
        onClick={() => onToggle(row.path)}
      >
        <ChevronRight size={13} className={styles.chevron} />
        {row.name}
        <span className={styles.size}>{formatInteger(row.size)}</span>
      </button>
    )
  }
  const text = valueText(row.value)
  return (
    <div className={styles.row} style={indent}>
      <span className={styles.name} title={row.path}>
        {row.name}
      </span>
      <span className={styles.value} data-kind={valueKind(row.value)} title={text}>
        {shownText(row.value)}
      </span>
      <CopyButton text={text} label={`Copy ${row.path}`} className={styles.copy} />
    </div>
  )
}
