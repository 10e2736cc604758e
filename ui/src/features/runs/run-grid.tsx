import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, useCallback, useRef, useState } from 'react'
import type { Run, Sort } from '~/api/types'
import { GroupRow } from '~/features/runs/group-row'
import { RunGridHead } from '~/features/runs/run-grid-head'
import { RunRow, type RunRowActions } from '~/features/runs/run-row'
import type { Differences } from '~/features/runs/run-values'
import type { RunColors } from '~/features/runs/use-run-colors'
import type { RunItem, RunItems } from '~/features/runs/use-run-items'
import { useNow } from '~/hooks/use-now'
import { plural } from '~/lib/format-number'
import { Skeleton } from '~/ui/message'
import styles from './run-grid.module.css'

const ROW_HEIGHT = 30
const COLUMN_WIDTH = { panel: 96, table: 132 }

interface RunGridProps {
  layout: 'panel' | 'table'
  items: RunItems
  columns: readonly string[]
  differences: Differences
  sort: Sort | null
  visibleIds: ReadonlySet<string>
  colors: RunColors
  nameWidth: number
  actions: RunRowActions & {
    sort: (sort: Sort | null) => void
    toggleGroup: (name: string) => void
    showGroup: (filter: string, visible: boolean) => void
  }
}

/** The list of runs, in the side panel and as the full-width table: only the lines in sight exist. */
export function RunGrid({
  layout,
  items,
  columns,
  differences,
  sort,
  visibleIds,
  colors,
  nameWidth,
  actions,
}: RunGridProps) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const now = useNow()
  const columnWidth = COLUMN_WIDTH[layout]
  const lines = items.items
  const getItemKey = useCallback((index: number) => lineKey(lines[index]), [lines])
  const virtualizer = useVirtualizer({
    count: items.items.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    getItemKey,
    overscan: 12,
  })
  const rows = virtualizer.getVirtualItems()
  const last = rows.at(-1)
  // Asking for the next page from render is safe: it does nothing while one is on its way.
  const asked = useRef(-1)
  if (last !== undefined && items.items[last.index]?.kind === 'loading' && asked.current !== items.items.length) {
    asked.current = items.items.length
    queueMicrotask(items.loadMore)
  }
  const style = { '--name-width': `${nameWidth}px` } as CSSProperties
  return (
    <div className={styles.scroller} ref={setScroller} style={style} data-stale={items.stale || undefined}>
      {columns.length > 0 && (
        <RunGridHead
          columns={columns}
          columnWidth={columnWidth}
          differences={differences}
          sort={sort}
          sample={items.runs[0]}
          onSort={actions.sort}
        />
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a virtual list places its lines itself */}
      <div
        role="list"
        aria-label="Runs"
        style={{
          height: virtualizer.getTotalSize(),
          position: 'relative',
          minWidth: '100%',
          width: columns.length > 0 ? nameWidth + columns.length * columnWidth : undefined,
        }}
      >
        {rows.map((row) => {
          const item = items.items[row.index]
          return (
            // biome-ignore lint/a11y/useSemanticElements: see the list
            <div
              key={row.key}
              role="listitem"
              className={styles.line}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {item.kind === 'run' && (
                <RunRow
                  run={item.run}
                  visible={visibleIds.has(item.run.id)}
                  color={colors.colorOf(item.run.id)}
                  slot={colors.slotOf(item.run.id)}
                  columns={columns}
                  columnWidth={columnWidth}
                  differences={differences}
                  now={nowFor(item.run, now)}
                  indent={item.indent}
                  showAge={layout === 'table' || columns.length === 0}
                  actions={actions}
                />
              )}
              {item.kind === 'group' && (
                <GroupRow
                  group={item.group}
                  open={item.open}
                  onToggle={() => actions.toggleGroup(item.name)}
                  onShow={(visible) => actions.showGroup(item.filter, visible)}
                />
              )}
              {item.kind === 'loading' && (
                <div className={styles.loading}>
                  <Skeleton height={12} width={160} />
                </div>
              )}
              {item.kind === 'more' && <div className={styles.loading}>…and {plural(item.count, 'more run')}</div>}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** Lines keep their elements while others come and go above them. */
function lineKey(item: RunItem): string {
  return item.kind === 'run' ? `run ${item.run.id}` : `${item.kind} ${item.name}`
}

/** Ages of runs that ended change by the minute at most: rows need not render every few seconds for them. */
function nowFor(run: Run, now: number): number {
  return run.state === 'running' ? now : Math.floor(now / 60) * 60
}
