import 'uplot/dist/uPlot.min.css'
import { type RefObject, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import styles from '~/charts/chart-tooltip.module.css'
import { cursorStore } from '~/charts/cursor-store'
import { type HeatModel, HeatPlot } from '~/charts/heat-plot'
import { binOf, binText, type HistogramAt, shareText, totalOf } from '~/charts/histogram'
import chartStyles from '~/charts/line-chart.module.css'
import type { Range } from '~/charts/range'
import { formatInteger } from '~/lib/format-number'

interface HeatChartProps {
  /** Unique on the page: tells the chart's own pointer from the others'. */
  chartId: string
  title: string
  model: HeatModel
  onZoom: (range: Range | null) => void
  /** Which histogram the pointer is over. */
  onPoint?: (index: number | null) => void
}

interface Pointed {
  at: HistogramAt
  y: number
  left: number
  top: number
}

/** The axis of charts over steps, whose crosshairs follow each other. */
const STEP_AXIS = 'step '

/** Mounts, feeds, resizes and disposes a [`HeatPlot`]. */
export function HeatChart({ chartId, title, model, onZoom, onPoint }: HeatChartProps) {
  const element = useRef<HTMLDivElement>(null)
  const plot = useRef<HeatPlot | null>(null)
  const [pointed, setPointed] = useState<Pointed | null>(null)
  const latest = useRef({ model, onZoom, onPoint })

  // uPlot lives outside React: this is the one place where it is made and thrown away.
  useLayoutEffect(() => {
    const host = element.current
    if (host === null) return
    const created = new HeatPlot(host, latest.current.model, {
      onZoom: (range) => latest.current.onZoom(range),
      onReset: () => latest.current.onZoom(null),
      onPointer: (at) => {
        const histogram = at === null ? undefined : latest.current.model.histograms[at.index]
        latest.current.onPoint?.(histogram === undefined || at === null ? null : at.index)
        if (at === null || histogram === undefined) {
          if (cursorStore.get()?.source === chartId) cursorStore.set(null)
          return setPointed(null)
        }
        cursorStore.set({ source: chartId, axis: STEP_AXIS, x: at.x })
        setPointed({ at: histogram, y: at.y, left: at.left, top: at.top })
      },
    })
    plot.current = created
    const observer = new ResizeObserver(() => created.resize(host.clientWidth, host.clientHeight))
    observer.observe(host)
    const stopCursor = cursorStore.subscribe(() => {
      const cursor = cursorStore.get()
      if (cursor?.source !== chartId) created.setCursor(cursor?.axis === STEP_AXIS ? cursor.x : null)
    })
    return () => {
      observer.disconnect()
      stopCursor()
      created.destroy()
      plot.current = null
      if (cursorStore.get()?.source === chartId) cursorStore.set(null)
    }
  }, [chartId])

  useLayoutEffect(() => {
    const changed = latest.current.model !== model
    latest.current = { model, onZoom, onPoint }
    if (changed) plot.current?.update(model)
  }, [model, onZoom, onPoint])

  return (
    <div className={chartStyles.chart} ref={element} role="img" aria-label={`Histograms of ${title}`}>
      {pointed !== null && <HeatTooltip pointed={pointed} host={element} />}
    </div>
  )
}

const WIDTH = 220
const HEIGHT = 84
const OFFSET = 16

/** How many numbers are in the bin at the pointer. */
function HeatTooltip({ pointed, host }: { pointed: Pointed; host: RefObject<HTMLElement | null> }) {
  const over = host.current?.querySelector('.u-over')?.getBoundingClientRect()
  if (over === undefined) return null
  const { step, histogram } = pointed.at
  const bin = binOf(histogram, pointed.y)
  const x = over.left + pointed.left
  const left = x + OFFSET + WIDTH > window.innerWidth ? x - OFFSET - WIDTH : x + OFFSET
  const top = Math.max(8, Math.min(over.top + pointed.top - 20, window.innerHeight - HEIGHT))
  return createPortal(
    <div className={styles.tooltip} style={{ left, top, width: WIDTH }} role="tooltip">
      <div className={styles.head}>step {formatInteger(step)}</div>
      <div className={styles.rows}>
        <div className={styles.row}>
          <span className={styles.name}>{bin < 0 ? 'outside of its bins' : binText(histogram.edges, bin)}</span>
        </div>
        <div className={styles.row}>
          <span className={styles.name}>{shareText(bin < 0 ? 0 : histogram.counts[bin], totalOf(histogram))}</span>
        </div>
      </div>
    </div>,
    // A modal dialog covers all that is not in it.
    host.current?.closest('dialog') ?? document.body,
  )
}
