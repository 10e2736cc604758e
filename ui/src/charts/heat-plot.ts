import uPlot from 'uplot'
import type { ChartColors } from '~/charts/chart-colors'
import { type HeatMap, type HistogramAt, heatMap } from '~/charts/histogram'
import { nearestIndex } from '~/charts/nearest'
import { plotOptions } from '~/charts/plot-options'
import type { Range } from '~/charts/range'

/** What a heat map shows: histograms by rising step. */
export interface HeatModel {
  histograms: readonly HistogramAt[]
  /** The zoomed part of the steps; `null` for all there is. */
  zoom: Range | null
  colors: ChartColors
}

export interface HeatEvents {
  /** The pointer stands over this histogram at this value (CSS pixels within the plotting area), or left. */
  onPointer: (at: { index: number; x: number; y: number; left: number; top: number } | null) => void
  onZoom: (range: Range) => void
  onReset: () => void
}

const ROWS = 96
const MIN_DRAG_PIXELS = 5

/** Histograms over steps: a column for each, as dark as many of its numbers are there. */
export class HeatPlot {
  private plot: uPlot
  private map: HeatMap
  private steps: Float64Array
  private pointed = false

  constructor(
    private readonly element: HTMLElement,
    private model: HeatModel,
    private readonly events: HeatEvents,
  ) {
    this.map = heatMap(
      model.histograms.map(({ histogram }) => histogram),
      ROWS,
    )
    this.steps = Float64Array.from(model.histograms, ({ step }) => step)
    this.plot = this.create()
  }

  update(model: HeatModel): void {
    const recolored = model.colors !== this.model.colors
    this.model = model
    this.map = heatMap(
      model.histograms.map(({ histogram }) => histogram),
      ROWS,
    )
    this.steps = Float64Array.from(model.histograms, ({ step }) => step)
    if (recolored) {
      this.plot.destroy()
      this.plot = this.create()
    } else {
      this.plot.setData(this.data())
    }
  }

  resize(width: number, height: number): void {
    if (width < 20 || height < 20 || (width === this.plot.width && height === this.plot.height)) return
    this.plot.setSize({ width, height })
  }

  /** Moves the crosshair to a step, as another chart's pointer asks. */
  setCursor(step: number | null): void {
    const [low, high] = this.xRange()
    const inside = step !== null && step >= low && step <= high
    this.plot.setCursor({ left: inside ? this.plot.valToPos(step, 'x') : -10, top: inside ? 0 : -10 }, false)
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
      xKind: 'step',
      xLabel: null,
      logX: false,
      logY: false,
      unit: 'none',
      colors: this.model.colors,
      width: Math.max(40, Math.floor(width)),
      height: Math.max(40, Math.floor(height)),
      xRange: () => this.xRange(),
      yRange: () => [this.map.low, this.map.high],
      onReset: this.events.onReset,
      hooks: {
        draw: [(plot) => this.draw(plot)],
        setCursor: [(plot) => this.pointerMoved(plot)],
        setSelect: [(plot) => this.selected(plot)],
        ready: [(plot) => this.listen(plot)],
      },
    })
    return new uPlot(options, this.data(), this.element)
  }

  private data(): uPlot.AlignedData {
    return [[...this.xRange()], [this.map.low, this.map.high]]
  }

  private xRange(): Range {
    if (this.model.zoom !== null) return this.model.zoom
    const { steps } = this
    if (steps.length === 0) return [0, 1]
    const first = steps[0]
    return [first, Math.max(this.endOf(steps.length - 1), first + 1)]
  }

  /** A column reaches to the next one, the last as far as the one before it. */
  private endOf(index: number): number {
    const { steps } = this
    if (index + 1 < steps.length) return steps[index + 1]
    return steps[index] + (index > 0 ? steps[index] - steps[index - 1] : 1)
  }

  private draw(plot: uPlot): void {
    const { ctx, bbox } = plot
    const { columns, most } = this.map
    if (most === 0) return
    const [from, to] = this.xRange()
    const x = (step: number) => bbox.left + ((step - from) / (to - from)) * bbox.width
    const ramp = this.model.colors.heat
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    columns.forEach((column, index) => {
      const left = Math.round(x(this.steps[index]))
      const width = Math.max(1, Math.round(x(this.endOf(index))) - left)
      column.forEach((share, row) => {
        if (share === 0) return
        const bottom = Math.round(bbox.top + bbox.height * (1 - row / column.length))
        const top = Math.round(bbox.top + bbox.height * (1 - (row + 1) / column.length))
        // The eye tells small shares apart better on a root scale.
        ctx.fillStyle = ramp[Math.min(ramp.length - 1, Math.floor(Math.sqrt(share / most) * ramp.length))]
        ctx.fillRect(left, top, width, bottom - top)
      })
    })
    ctx.restore()
  }

  private listen(plot: uPlot): void {
    plot.over.addEventListener('pointerenter', () => {
      this.pointed = true
    })
    plot.over.addEventListener('pointerleave', () => {
      this.pointed = false
      this.events.onPointer(null)
    })
  }

  private pointerMoved(plot: uPlot): void {
    if (!this.pointed) return
    const { left, top } = plot.cursor
    if (left === undefined || top === undefined || left < 0 || this.steps.length === 0) {
      this.events.onPointer(null)
      return
    }
    const x = plot.posToVal(left, 'x')
    const near = nearestIndex(this.steps, x)
    const index = this.steps[near] > x && near > 0 ? near - 1 : near
    this.events.onPointer({ index, x, y: plot.posToVal(top, 'y'), left, top })
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < MIN_DRAG_PIXELS) return
    const range: Range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.events.onZoom(range)
  }
}
