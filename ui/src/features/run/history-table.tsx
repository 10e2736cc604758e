import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useState } from 'react'
import { keysQuery } from '~/api/queries'
import type { JsonObject, Run } from '~/api/types'
import { keyMatcher } from '~/features/metrics/sections'
import { stepOf } from '~/features/run/history-queries'
import { useHistory } from '~/features/run/use-history'
import { formatJson } from '~/features/runs/run-values'
import { formatInteger, plural } from '~/lib/format-number'
import { formatDateTime } from '~/lib/format-time'
import { isSystemKey, keyLabel } from '~/lib/key-label'
import { api, projectPath } from '~/lib/path-builder'
import { DownloadLink } from '~/ui/download-link'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { SearchBar } from '~/ui/search-bar'
import styles from './history-table.module.css'

const FORMATS = ['parquet', 'csv', 'jsonl'] as const
const ROW_HEIGHT = 28
const COLUMN_WIDTH = 150
const STEP_WIDTH = 96
const TIME_WIDTH = 180
/** Columns that are read at once; the search chooses which. */
const MAX_COLUMNS = 30

/** The rows as they were logged, read on while one scrolls, and the downloads of all of them. */
export function HistoryTable({ run }: { run: Run }) {
  const [search, setSearch] = useState('')
  const keys = useQuery(keysQuery(projectPath(run.entity, run.project), [run.id]))
  const found = useMemo(() => {
    const matches = keyMatcher(search) ?? (() => true)
    const all = (keys.data?.keys ?? []).map(({ key }) => key)
    return all.filter((key) => !isSystemKey(key) && matches(key))
  }, [keys.data, search])
  const columns = useMemo(() => found.slice(0, MAX_COLUMNS), [found])
  const history = useHistory(run, columns)
  const rows = useMemo(() => history.data?.pages.flatMap((page) => page.rows) ?? [], [history.data])
  return (
    <div className={styles.page}>
      <SearchBar
        label="Search columns"
        placeholder="Search columns, or a regex"
        value={search}
        onChange={setSearch}
        count={
          <>
            {found.length > MAX_COLUMNS
              ? `first ${MAX_COLUMNS} of ${formatInteger(found.length)} columns`
              : plural(found.length, 'column')}
            {' · '}
            {plural(run.row_count, 'row')}
          </>
        }
      >
        {FORMATS.map((format) => (
          <DownloadLink
            key={format}
            href={api.history(run.entity, run.project, run.id, { format })}
            name={`${run.id}.${format}`}
          >
            {format}
          </DownloadLink>
        ))}
      </SearchBar>
      {history.error !== null && rows.length === 0 ? (
        <ErrorMessage title="Could not read the rows" error={history.error} onRetry={() => void history.refetch()} />
      ) : run.row_count === 0 || (keys.data !== undefined && columns.length === 0) ? (
        <Message title={search === '' ? 'Nothing logged yet' : 'No such column'} />
      ) : history.isPending ? (
        <div className={styles.loading}>
          <Skeleton height={200} />
        </div>
      ) : (
        <Rows
          rows={rows}
          columns={columns}
          onEnd={() => {
            if (history.hasNextPage && !history.isFetchingNextPage) void history.fetchNextPage()
          }}
        />
      )}
    </div>
  )
}

function timeOf(row: JsonObject): string {
  const time = Number(row._time ?? row._timestamp ?? row.time)
  return Number.isFinite(time) ? formatDateTime(time) : '–'
}

function Rows({ rows, columns, onEnd }: { rows: JsonObject[]; columns: readonly string[]; onEnd: () => void }) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
    onChange: (instance) => {
      const last = instance.getVirtualItems().at(-1)
      if (last !== undefined && last.index >= rows.length - 40) onEnd()
    },
  })
  const width = STEP_WIDTH + TIME_WIDTH + columns.length * COLUMN_WIDTH
  return (
    <div className={styles.scroller} ref={setScroller}>
      <div className={styles.head} style={{ width }}>
        <span className={styles.step}>step</span>
        <span className={styles.time}>time</span>
        {columns.map((key) => (
          <span key={key} className={styles.cell} title={key}>
            {keyLabel(key)}
          </span>
        ))}
      </div>
      <div style={{ height: virtualizer.getTotalSize(), width, position: 'relative' }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index]
          return (
            <div key={item.index} className={styles.row} style={{ transform: `translateY(${item.start}px)`, width }}>
              <span className={styles.step}>{formatInteger(stepOf(row))}</span>
              <span className={styles.time}>{timeOf(row)}</span>
              {columns.map((key) => (
                <span
                  key={key}
                  className={styles.cell}
                  title={row[key] === undefined ? undefined : formatJson(row[key])}
                >
                  {row[key] === undefined ? '' : formatJson(row[key])}
                </span>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}
