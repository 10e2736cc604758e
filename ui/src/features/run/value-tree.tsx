import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { JsonObject, JsonValue, Metric } from '~/api/types'
import { readHistogram } from '~/charts/histogram'
import { HistogramSpark } from '~/charts/histogram-spark'
import { AGGREGATES, type Aggregate } from '~/features/run/metric-definitions'
import { shownText, type ValueRow, valueKind, valueRows, valueText } from '~/features/run/value-rows'
import { formatInteger } from '~/lib/format-number'
import { CopyButton } from '~/ui/copy-button'
import { TextInput } from '~/ui/field'
import { Panel } from '~/ui/panel'
import styles from './value-tree.module.css'

const ROW_HEIGHT = 30
const MAX_HEIGHT = 540
const SEARCH_FROM = 8
/** Aggregates share a line: their other digits are in the tooltip. */
const AGGREGATE_DIGITS = 4

interface ValueTreeProps {
  title: string
  values: JsonObject
  empty: string
  /** What a script said about the metrics of a summary: their aggregates stand in columns. */
  metrics?: readonly Metric[]
}

const NO_METRICS: readonly Metric[] = []

/** A nested object as a searchable tree; only the lines in sight exist, so ten thousand keys are fine. */
export function ValueTree({ title, values, empty, metrics = NO_METRICS }: ValueTreeProps) {
  const [search, setSearch] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const rows = useMemo(() => valueRows(values, search, closed, metrics), [values, search, closed, metrics])
  const columns = useMemo(() => usedAggregates(rows), [rows])
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
                <Row
                  row={rows[item.index]}
                  open={!closed.has(rows[item.index].path)}
                  columns={columns}
                  onToggle={toggle}
                />
              </div>
            ))}
          </div>
        </div>
      )}
    </Panel>
  )
}

/** Columns that some line needs; all lines have them, so that numbers stand below each other. */
function usedAggregates(rows: readonly ValueRow[]): Aggregate[] {
  return AGGREGATES.filter((name) => rows.some(({ aggregates }) => aggregates?.[name] !== undefined))
}

interface RowProps {
  row: ValueRow
  open: boolean
  columns: readonly Aggregate[]
  onToggle: (path: string) => void
}

function Row({ row, open, columns, onToggle }: RowProps) {
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
      {row.aggregates !== null ? (
        <Aggregates values={row.aggregates} columns={columns} />
      ) : (
        <Value value={row.value} text={text} />
      )}
      <CopyButton text={text} label={`Copy ${row.path}`} className={styles.copy} />
    </div>
  )
}

function Value({ value, text }: { value: JsonValue; text: string }) {
  const histogram = readHistogram(value)
  if (histogram !== null) return <HistogramSpark histogram={histogram} />
  return (
    <span className={styles.value} data-kind={valueKind(value)} title={text}>
      {shownText(value)}
    </span>
  )
}

function Aggregates({
  values,
  columns,
}: {
  values: NonNullable<ValueRow['aggregates']>
  columns: readonly Aggregate[]
}) {
  return (
    <dl className={styles.aggregates} style={{ gridTemplateColumns: `repeat(${columns.length}, minmax(0, 1fr))` }}>
      {columns.map((name) => {
        const value = values[name]
        return (
          <div key={name} className={styles.aggregate}>
            {value !== undefined && (
              <>
                <dt>{name}</dt>
                <dd data-kind={valueKind(value)} title={`${name} ${valueText(value)}`}>
                  {shownText(value, AGGREGATE_DIGITS)}
                </dd>
              </>
            )}
          </div>
        )
      })}
    </dl>
  )
}
