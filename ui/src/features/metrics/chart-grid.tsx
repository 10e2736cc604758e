import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import type { MetricKey } from '~/api/types'
import type { Range } from '~/charts/range'
import { ChartCard } from '~/features/metrics/chart-card'
import type { ChartView } from '~/features/metrics/chart-view'
import { type GridRow, gridRows, groupIntoSections } from '~/features/metrics/sections'
import { TextCard } from '~/features/metrics/text-card'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useWidth } from '~/hooks/use-size'
import { formatInteger } from '~/lib/format-number'
import styles from './chart-grid.module.css'

interface ChartGridProps {
  keys: readonly MetricKey[]
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
export function ChartGrid({ keys, runs, view, change, onZoom }: ChartGridProps) {
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
  const sections = useMemo(() => groupIntoSections(keys), [keys])
  const rows = useMemo(() => gridRows(sections, view.closed, fitting), [sections, view.closed, fitting])
  const columns = useMemo(() => widestRow(rows), [rows])
  const chartWidth = Math.floor((inner - GAP * (columns - 1)) / columns)
  const height =
    columns < fitting ? Math.min(Math.max(size.height, chartWidth * HEIGHT_OF_WIDTH), MAX_HEIGHT) : size.height
  const gridStyle = { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, columnGap: GAP }
  const virtualizer = useVirtualizer({
    count: width === 0 ? 0 : rows.length,
    getScrollElement: () => scroller,
    estimateSize: (index) => (rows[index].kind === 'headings' ? HEADING_HEIGHT : height + GAP),
    getItemKey: (index) => {
      const row = rows[index]
      return row.kind === 'headings' ? `section ${row.headings[0].section.name}` : `charts ${row.keys[0].key}`
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
  const toggle = (name: string, open: boolean) =>
    change({ closed: open ? [...view.closed, name] : view.closed.filter((each) => each !== name) })
  return (
    <div className={styles.scroller} ref={attach}>
      <div className={styles.inner} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index]
          const place = { transform: `translateY(${item.start}px)`, padding: `0 ${PADDING}px` }
          if (row.kind === 'headings') {
            return (
              <div key={item.key} className={styles.line} style={place}>
                <div className={styles.grid} style={gridStyle}>
                  {row.headings.map(({ section: { name, keys: ofSection }, open, span }) => (
                    <button
                      key={name}
                      type="button"
                      className={styles.heading}
                      style={{ gridColumn: `span ${Math.min(span, columns)}` }}
                      aria-expanded={open}
                      onClick={() => toggle(name, open)}
                    >
                      <ChevronRight size={14} className={styles.chevron} />
                      <h2>{name}</h2>
                      <span className={styles.count}>{formatInteger(ofSection.length)}</span>
                    </button>
                  ))}
                </div>
              </div>
            )
          }
          return (
            <div key={item.key} className={styles.line} style={place}>
              <div className={styles.grid} style={{ ...gridStyle, height }}>
                {row.keys.map((metric) =>
                  metric.kind === 'other' ? (
                    <TextCard key={metric.key} metric={metric} runs={runs} />
                  ) : (
                    <ChartCard
                      key={metric.key}
                      metric={metric}
                      runs={runs}
                      view={view}
                      width={chartWidth}
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
