import uPlot from 'uplot'
import { drawHighlight, drawLines, drawMarks, type Frame, type Mark, placeX, placeY } from '~/charts/draw'
import type { Line } from '~/charts/line'
import { nearestIndex } from '~/charts/nearest'
import { type PlotShape, plotOptions } from '~/charts/plot-options'
import { type Range, xExtent, type YRangeOptions, yExtent } from '~/charts/range'

/** What a plot shows. */
export interface PlotModel extends PlotShape {
  lines: readonly Line[]
  /** Moments along x. */
  marks: readonly Mark[]
  bands: boolean
  /** The zoomed part of x; `null` for all there is. */
  zoom: Range | null
  y: Omit<YRangeOptions, 'log' | 'bands'>
}

export interface PlotEvents {
  /** The pointer stands at this x and y (CSS pixels within the plotting area), or left. */
  onPointer: (at: { x: number; left: number; top: number } | null) => void
  onZoom: (range: Range) => void
  onReset: () => void
}

const MIN_DRAG_PIXELS = 5

/** A uPlot that draws axes, scales, cursor and selection; the lines are drawn by `draw.ts`, each run with its own x. */
export class Plot {
  private plot: uPlot
  private overlay: HTMLCanvasElement
  private xRange: Range = [0, 1]
  private yRange: Range = [0, 1]
  private highlighted: string | null = null
  private cursorX: number | null = null
  /** Whether the pointer is over this plot: uPlot also reports cursors that code or new data moved. */
  private pointed = false

  constructor(
    private readonly element: HTMLElement,
    private model: PlotModel,
    private readonly events: PlotEvents,
  ) {
    this.overlay = document.createElement('canvas')
    this.measure()
    this.plot = this.create()
  }

  update(model: PlotModel): void {
    const before = this.model
    this.model = model
    this.measure()
    const sameShape =
      before.xKind === model.xKind &&
      before.xLabel === model.xLabel &&
      before.logX === model.logX &&
      before.logY === model.logY &&
      before.unit === model.unit &&
      before.colors === model.colors
    if (sameShape) {
      this.plot.setData(this.data())
    } else {
      this.plot.destroy()
      this.plot = this.create()
    }
    if (this.pointed) this.drawOverlay()
    else this.setCursor(this.cursorX)
  }

  resize(width: number, height: number): void {
    if (width < 20 || height < 20) return
    if (width === this.plot.width && height === this.plot.height) return
    this.plot.setSize({ width, height })
    this.drawOverlay()
  }

  /** Lays a veil over all lines but this run's. */
  highlight(run: string | null): void {
    if (run === this.highlighted) return
    this.highlighted = run
    this.drawOverlay()
  }

  /** Moves the crosshair to `x`, as another chart's pointer asks. */
  setCursor(x: number | null): void {
    this.cursorX = x
    const inside = x !== null && x >= this.xRange[0] && x <= this.xRange[1]
    const left = inside ? this.plot.valToPos(x, 'x') : -10
    this.plot.setCursor({ left, top: inside ? 0 : -10 }, false)
    this.drawOverlay()
  }

  /** Remembers the pointer's own x, for the dots on the lines. */
  setOwnCursor(x: number | null): void {
    this.cursorX = x
    this.drawOverlay()
  }

  /** Where `x` stands in the chart's box, CSS pixels; `null` when it is out of sight. */
  leftOf(x: number): number | null {
    if (x < this.xRange[0] || x > this.xRange[1]) return null
    return this.plot.valToPos(x, 'x') + this.plot.over.offsetLeft
  }

  /** Distance of a value from a place in the plotting area, in CSS pixels. */
  distanceFrom(top: number): (value: number) => number {
    return (value) => Math.abs(this.plot.valToPos(value, 'y') - top)
  }

  /** How far along x so many CSS pixels reach. */
  tolerance(pixels: number): number {
    const width = Math.max(1, this.plot.over.clientWidth)
    return ((this.xRange[1] - this.xRange[0]) * pixels) / width
  }

  canvas(): HTMLCanvasElement {
    return this.plot.ctx.canvas
  }

  destroy(): void {
    this.plot.destroy()
  }

  private create(): uPlot {
    const { width, height } = this.element.getBoundingClientRect()
    const options = plotOptions({
      xKind: this.model.xKind,
      xLabel: this.model.xLabel,
      logX: this.model.logX,
      logY: this.model.logY,
      unit: this.model.unit,
      colors: this.model.colors,
      width: Math.max(40, Math.floor(width)),
      height: Math.max(40, Math.floor(height)),
      xRange: () => this.xRange,
      yRange: () => this.yRange,
      onReset: this.events.onReset,
      hooks: {
        draw: [
          (plot) => {
            const frame = this.frame(plot)
            drawLines(plot.ctx, frame, this.model.lines, this.model.bands)
            drawMarks(plot.ctx, frame, this.model.marks, this.model.colors.marks)
          },
        ],
        setCursor: [(plot) => this.pointerMoved(plot)],
        setSelect: [(plot) => this.selected(plot)],
        ready: [(plot) => this.prepare(plot)],
      },
    })
    this.overlay.className = 'plot-overlay'
    return new uPlot(options, this.data(), this.element)
  }

  private measure(): void {
    const { lines, zoom, logX, logY, bands, y } = this.model
    const extent = zoom ?? xExtent(lines, logX) ?? (logX ? [1, 10] : [0, 1])
    this.xRange = logX && extent[0] <= 0 ? [Math.min(1, extent[1] / 10), extent[1]] : extent
    this.yRange = yExtent(lines, this.xRange, { ...y, log: logY, bands })
  }

  /** uPlot only needs to know that there is something: scales come from the range functions. */
  private data(): uPlot.AlignedData {
    return [[...this.xRange], [...this.yRange]]
  }

  private frame(plot: uPlot): Frame {
    const { left, top, width, height } = plot.bbox
    const { logX, logY } = this.model
    return { left, top, width, height, x: this.xRange, y: this.yRange, logX, logY, pixelRatio: uPlot.pxRatio }
  }

  private prepare(plot: uPlot): void {
    plot.over.appendChild(this.overlay)
    plot.over.addEventListener('pointerenter', () => {
      this.pointed = true
    })
    plot.over.addEventListener('pointerleave', () => {
      this.pointed = false
      this.events.onPointer(null)
    })
  }

  private pointerMoved(plot: uPlot): void {
    const { left, top } = plot.cursor
    if (!this.pointed) return
    if (left === undefined || top === undefined || left < 0) {
      this.events.onPointer(null)
    } else {
      this.events.onPointer({ x: plot.posToVal(left, 'x'), left, top })
    }
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < MIN_DRAG_PIXELS) return
    const range: Range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.events.onZoom(range)
  }

  private drawOverlay(): void {
    const { over } = this.plot
    const ratio = uPlot.pxRatio
    const width = Math.round(over.clientWidth * ratio)
    const height = Math.round(over.clientHeight * ratio)
    if (this.overlay.width !== width) this.overlay.width = width
    if (this.overlay.height !== height) this.overlay.height = height
    const context = this.overlay.getContext('2d')
    if (context === null) return
    context.clearRect(0, 0, width, height)
    const frame: Frame = { ...this.frame(this.plot), left: 0, top: 0, width, height }
    const line = this.model.lines.find(({ run }) => run === this.highlighted)
    if (line !== undefined && this.model.lines.length > 1) {
      context.fillStyle = this.model.colors.veil
      context.fillRect(0, 0, width, height)
      drawHighlight(context, frame, line, this.model.bands)
    }
    this.drawCursorDots(context, frame, line)
  }

  private drawCursorDots(context: CanvasRenderingContext2D, frame: Frame, line: Line | undefined): void {
    if (this.cursorX === null) return
    const x = placeX(frame)
    const y = placeY(frame)
    const tolerance = this.tolerance(24)
    const lines = line !== undefined ? [line] : this.model.lines.length <= 12 ? this.model.lines : []
    for (const { columns, y: values, color } of lines) {
      const row = nearestIndex(columns.x, this.cursorX)
      if (row < 0 || Math.abs(columns.x[row] - this.cursorX) > tolerance || !Number.isFinite(values[row])) continue
      context.beginPath()
      context.arc(x(columns.x[row]), y(values[row]), 3.5 * frame.pixelRatio, 0, 2 * Math.PI)
      context.fillStyle = color
      context.fill()
      context.lineWidth = 1.5 * frame.pixelRatio
      context.strokeStyle = this.model.colors.background
      context.stroke()
    }
  }
}
