import 'uplot/dist/uPlot.min.css'
import { type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { ChartTooltip, type TooltipState } from '~/charts/chart-tooltip'
import { cursorStore, highlightStore } from '~/charts/cursor-store'
import { MirroredTooltip, type MirrorState } from '~/charts/mirrored-tooltip'
import { marksAt, nearestRow, rowsAt } from '~/charts/nearest'
import { Plot, type PlotModel } from '~/charts/plot'
import type { Range } from '~/charts/range'
import styles from './line-chart.module.css'

export interface LineChartHandle {
  canvas: () => HTMLCanvasElement | null
}

interface LineChartProps {
  /** Unique on the page: tells the chart's own pointer from the others'. */
  chartId: string
  title: string
  model: PlotModel
  onZoom: (range: Range | null) => void
  ref?: Ref<LineChartHandle>
}

/** Distance from a line within which it counts as pointed at, in CSS pixels. */
const HIGHLIGHT_PIXELS = 24

/** Distance from a mark within which the tooltip tells what it is, in CSS pixels. */
const MARK_PIXELS = 7

/** Charts whose crosshairs can follow each other have the same one. */
function axisOf({ xKind, xLabel }: PlotModel): string {
  return `${xKind} ${xLabel ?? ''}`
}

/** Mounts, feeds, resizes and disposes a [`Plot`]; knows nothing of drawing. */
export function LineChart({ chartId, title, model, onZoom, ref }: LineChartProps) {
  const element = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const [tooltip, setTooltip] = useState<TooltipState | null>(null)
  const [mirror, setMirror] = useState<MirrorState | null>(null)
  const latest = useRef({ model, onZoom })

  useImperativeHandle(ref, () => ({ canvas: () => plot.current?.canvas() ?? null }))

  // uPlot lives outside React: this is the one place where it is made and thrown away.
  useLayoutEffect(() => {
    const host = element.current
    if (host === null) return
    let frame = 0
    const created = new Plot(host, latest.current.model, {
      onZoom: (range) => latest.current.onZoom(range),
      onReset: () => latest.current.onZoom(null),
      onPointer: (at) => {
        cancelAnimationFrame(frame)
        frame = requestAnimationFrame(() => {
          if (at === null) {
            if (cursorStore.get()?.source !== chartId) return
            created.setOwnCursor(null)
            cursorStore.set(null)
            highlightStore.set(null)
            setTooltip(null)
            return
          }
          const rows = rowsAt(latest.current.model.lines, at.x, created.tolerance(HIGHLIGHT_PIXELS))
          const distance = created.distanceFrom(at.top)
          const nearest = nearestRow(rows, distance)
          const pointed = nearest !== null && distance(nearest.value) <= HIGHLIGHT_PIXELS ? nearest : null
          created.setOwnCursor(at.x)
          cursorStore.set({ source: chartId, axis: axisOf(latest.current.model), x: at.x })
          highlightStore.set(pointed?.run ?? null)
          setTooltip(
            rows.length === 0
              ? null
              : {
                  x: at.x,
                  left: at.left,
                  top: at.top,
                  rows,
                  nearest,
                  pointed: pointed !== null,
                  marks: marksAt(latest.current.model.marks, at.x, created.tolerance(MARK_PIXELS)),
                },
          )
        })
      },
    })
    plot.current = created
    const observer = new ResizeObserver(() => created.resize(host.clientWidth, host.clientHeight))
    observer.observe(host)
    const stopHighlight = highlightStore.subscribe(() => created.highlight(highlightStore.get()))
    created.highlight(highlightStore.get())
    const stopCursor = cursorStore.subscribe(() => {
      const anywhere = cursorStore.get()
      if (anywhere?.source === chartId) return setMirror(null)
      const cursor = anywhere?.axis === axisOf(latest.current.model) ? anywhere : null
      created.setCursor(cursor?.x ?? null)
      const left = cursor === null ? null : created.leftOf(cursor.x)
      if (cursor === null || left === null) return setMirror(null)
      const rows = rowsAt(latest.current.model.lines, cursor.x, created.tolerance(HIGHLIGHT_PIXELS))
      setMirror(rows.length === 0 ? null : { left, width: host.clientWidth, rows })
    })
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
      stopHighlight()
      stopCursor()
      created.destroy()
      plot.current = null
      if (cursorStore.get()?.source === chartId) {
        cursorStore.set(null)
        highlightStore.set(null)
      }
    }
  }, [chartId])

  useLayoutEffect(() => {
    const changed = latest.current.model !== model
    latest.current = { model, onZoom }
    if (changed) plot.current?.update(model)
  }, [model, onZoom])

  return (
    <div className={styles.chart} ref={element} role="img" aria-label={`Chart of ${title}`}>
      {tooltip !== null && (
        <ChartTooltip state={tooltip} xKind={model.xKind} xLabel={model.xLabel} unit={model.unit} host={element} />
      )}
      {mirror !== null && <MirroredTooltip state={mirror} alone={model.lines.length === 1} unit={model.unit} />}
    </div>
  )
}
