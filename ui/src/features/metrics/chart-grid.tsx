import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight, EyeOff } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import type { MetricKey } from '~/api/types'
import type { Range } from '~/charts/range'
import { ChartCard } from '~/features/metrics/chart-card'
import type { ChartView } from '~/features/metrics/chart-view'
import { OtherCard } from '~/features/metrics/other-card'
import {
  columnsOfLine,
  type GridRow,
  gridRows,
  HIDDEN_SECTION,
  SYSTEM_SECTION,
  sectionsOf,
} from '~/features/metrics/sections'
import { SystemCard } from '~/features/metrics/system-card'
import type { SystemChart } from '~/features/metrics/system-charts'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useWidth } from '~/hooks/use-size'
import { formatInteger } from '~/lib/format-number'
import styles from './chart-grid.module.css'

interface ChartGridProps {
  keys: readonly MetricKey[]
  system: readonly SystemChart[]
  systemOpen: boolean
  runs: ChartRuns
  view: ChartView
  change: (part: Partial<ChartView>) => void
  onZoom: (zoom: Range | null) => void
}

const SIZES = {
  small: { width: 230, height: 176 },
  medium: { width: 318, height: 226 },
  large: { width: 560, height: 380 },
}
/** Few charts are wider than their size asks, and then as much higher as looks well. */
const HEIGHT_OF_WIDTH = 0.42
const MAX_HEIGHT = 440
const GAP = 12
const PADDING = 16
const HEADING_HEIGHT = 42

/** Charts in sections. Only those near the viewport exist, so twenty thousand keys cost what a screenful does. */
export function ChartGrid({ keys, system, systemOpen, runs, view, change, onZoom }: ChartGridProps) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const [measure, width] = useWidth()
  const attach = useCallback(
    (element: HTMLDivElement | null) => {
      setScroller(element)
      return measure(element)
    },
    [measure],
  )
  const size = SIZES[view.size]
  const inner = Math.max(0, width - 2 * PADDING)
  const fitting = Math.max(1, Math.floor((inner + GAP) / (size.width + GAP)))
  const sections = useMemo(() => sectionsOf(keys, system), [keys, system])
  // Charts over time share a zoom, be it that of the metrics' charts or, where these are over something else, their own.
  const [systemZoom, setSystemZoom] = useState<Range | null>(null)
  const closed = useMemo(
    () => [...view.closed, ...(view.hidden ? [] : [HIDDEN_SECTION]), ...(systemOpen ? [] : [SYSTEM_SECTION])],
    [view.closed, view.hidden, systemOpen],
  )
  const rows = useMemo(() => gridRows(sections, closed, fitting), [sections, closed, fitting])
  const columns = useMemo(() => widestRow(rows), [rows])
  const widthOf = (count: number) => Math.floor((inner - GAP * (count - 1)) / count)
  const chartWidth = widthOf(columns)
  const height =
    columns < fitting ? Math.min(Math.max(size.height, chartWidth * HEIGHT_OF_WIDTH), MAX_HEIGHT) : size.height
  const gridStyle = (count: number) => ({ gridTemplateColumns: `repeat(${count}, minmax(0, 1fr))`, columnGap: GAP })
  const virtualizer = useVirtualizer({
    count: width === 0 ? 0 : rows.length,
    getScrollElement: () => scroller,
    estimateSize: (index) => (rows[index].kind === 'headings' ? HEADING_HEIGHT : height + GAP),
    getItemKey: (index) => {
      const row = rows[index]
      return row.kind === 'headings' ? `section ${row.headings[0].section.id}` : `charts ${row.keys[0].key}`
    },
    overscan: 1,
    rangeExtractor: defaultRangeExtractor,
    paddingEnd: 40,
  })
  // Sizes are exact, so a change of layout only has to be counted anew.
  const layout = `${height} ${columns} ${rows.length}`
  const [counted, setCounted] = useState(layout)
  if (counted !== layout) {
    setCounted(layout)
    queueMicrotask(() => virtualizer.measure())
  }
  const toggle = (id: string, open: boolean) => {
    if (id === HIDDEN_SECTION) change({ hidden: !open })
    else if (id === SYSTEM_SECTION) change({ system: !open })
    else change({ closed: open ? [...view.closed, id] : view.closed.filter((each) => each !== id) })
  }
  return (
    <div className={styles.scroller} ref={attach}>
      <div className={styles.inner} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index]
          const place = { transform: `translateY(${item.start}px)`, padding: `0 ${PADDING}px` }
          if (row.kind === 'headings') {
            return (
              <div key={item.key} className={styles.line} style={place}>
                <div className={styles.grid} style={gridStyle(columnsOfLine(Math.min(row.count, columns), columns))}>
                  {row.headings.map(({ section: { id, name, keys: ofSection }, open, span }) => (
                    <button
                      key={id}
                      type="button"
                      className={styles.heading}
                      style={{ gridColumn: `span ${Math.min(span, columns)}` }}
                      aria-expanded={open}
                      onClick={() => toggle(id, open)}
                    >
                      <ChevronRight size={14} className={styles.chevron} />
                      <h2>{name}</h2>
                      {id === HIDDEN_SECTION && <EyeOff size={13} className={styles.hidden} />}
                      <span className={styles.count}>{formatInteger(ofSection.length)}</span>
                    </button>
                  ))}
                </div>
              </div>
            )
          }
          const count = columnsOfLine(row.keys.length, columns)
          return (
            <div key={item.key} className={styles.line} style={place}>
              <div className={styles.grid} style={{ ...gridStyle(count), height }}>
                {row.keys.map((metric) =>
                  metric.kind === 'system' ? (
                    <SystemCard
                      key={metric.key}
                      chart={metric}
                      runs={runs}
                      view={view}
                      width={widthOf(count)}
                      zoom={systemZoom}
                      onZoom={onZoom}
                      onOwnZoom={setSystemZoom}
                      onExpand={() => change({ expanded: metric.key })}
                    />
                  ) : metric.kind === 'other' ? (
                    <OtherCard
                      key={metric.key}
                      metric={metric}
                      runs={runs}
                      view={view}
                      onZoom={onZoom}
                      onExpand={() => change({ expanded: metric.key })}
                    />
                  ) : (
                    <ChartCard
                      key={metric.key}
                      metric={metric}
                      runs={runs}
                      view={view}
                      width={widthOf(count)}
                      onZoom={onZoom}
                      onExpand={() => change({ expanded: metric.key })}
                    />
                  ),
                )}
              </div>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** How many charts stand side by side at most: few of them share the whole width. */
function widestRow(rows: readonly GridRow[]): number {
  return rows.reduce((most, row) => Math.max(most, row.kind === 'charts' ? row.keys.length : 0), 1)
}
