import { type Segment, segments, spikes, splitSegments } from '~/charts/band'
import type { Line } from '~/charts/line'
import type { Range } from '~/charts/range'
import { rememberLast } from '~/charts/remember'
import type { SeriesColumns } from '~/charts/series'

/** Where values stand in a canvas, in its own pixels. */
export interface Frame {
  left: number
  top: number
  width: number
  height: number
  x: Range
  y: Range
  logX: boolean
  logY: boolean
  pixelRatio: number
}

type Place = (value: number) => number

function placer([min, max]: Range, log: boolean, start: number, length: number): Place {
  const low = log ? Math.log10(min) : min
  const scale = length / ((log ? Math.log10(max) : max) - low)
  return log ? (value) => start + (Math.log10(value) - low) * scale : (value) => start + (value - low) * scale
}

export function placeX(frame: Frame): Place {
  return placer(frame.x, frame.logX, frame.left, frame.width)
}

export function placeY(frame: Frame): Place {
  return placer(frame.y, frame.logY, frame.top + frame.height, -frame.height)
}

/** More lines than this are drawn one device pixel wide, which canvases stroke several times faster. */
const HAIRLINE_COUNT = 30
/** With more lines than this the bands would melt into one; spikes stay. */
const BAND_COUNT = 60

/** Draws all lines, the first one on top. */
export function drawLines(
  context: CanvasRenderingContext2D,
  frame: Frame,
  lines: readonly Line[],
  bands: boolean,
): void {
  context.save()
  clip(context, frame)
  const count = lines.length
  const width = count > HAIRLINE_COUNT ? 1 : 1.5 * frame.pixelRatio
  const alpha = count > 100 ? 0.55 : count > HAIRLINE_COUNT ? 0.75 : 1
  for (let index = count - 1; index >= 0; index -= 1) {
    drawLine(context, frame, lines[index], {
      width,
      alpha,
      bands,
      fill: count <= BAND_COUNT ? 0.2 / Math.sqrt(count) + 0.04 : 0,
    })
  }
  context.restore()
}

/** A moment worth seeing along x, such as an alert of a run. */
export interface Mark {
  x: number
  kind: 'info' | 'warning' | 'error'
  /** What happened, in a few words. */
  label: string
}

/** Draws a thin upright line for each mark, with a point at its top that the eye finds. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  frame: Frame,
  marks: readonly Mark[],
  colors: Record<Mark['kind'], string>,
): void {
  if (marks.length === 0) return
  const x = placeX(frame)
  const size = 3.5 * frame.pixelRatio
  context.save()
  clip(context, frame)
  context.lineWidth = Math.max(1, Math.round(frame.pixelRatio))
  for (const mark of marks) {
    if (frame.logX && mark.x <= 0) continue
    const px = Math.round(x(mark.x)) + 0.5
    context.strokeStyle = colors[mark.kind]
    context.fillStyle = colors[mark.kind]
    context.globalAlpha = 0.45
    context.setLineDash([3 * frame.pixelRatio, 3 * frame.pixelRatio])
    context.beginPath()
    context.moveTo(px, frame.top)
    context.lineTo(px, frame.top + frame.height)
    context.stroke()
    context.globalAlpha = 1
    context.beginPath()
    triangle(context, px, frame.top + size, size, 1)
    context.fill()
  }
  context.restore()
}

/** Draws one line alone, strongly. */
export function drawHighlight(context: CanvasRenderingContext2D, frame: Frame, line: Line, bands: boolean): void {
  context.save()
  clip(context, frame)
  drawLine(context, frame, line, { width: 2 * frame.pixelRatio, alpha: 1, bands, fill: 0.24 })
  context.restore()
}

function clip(context: CanvasRenderingContext2D, frame: Frame): void {
  context.beginPath()
  context.rect(frame.left, frame.top, frame.width, frame.height)
  context.clip()
}

const rememberSpikes = rememberLast<SeriesColumns, number[]>()
const rememberNonFinite = rememberLast<SeriesColumns, boolean>()

function hasNonFinite({ nan, positiveInfinity, negativeInfinity }: SeriesColumns): boolean {
  const any = (counts: Uint32Array) => counts.some((count) => count > 0)
  return any(nan) || any(positiveInfinity) || any(negativeInfinity)
}

/** What a fork has of another run is dashed and fainter: the other run's own line lies below it. */
const INHERITED_DASH = [4, 3]
const INHERITED_ALPHA = 0.7

interface Look {
  width: number
  alpha: number
  bands: boolean
  fill: number
}

function drawLine(context: CanvasRenderingContext2D, frame: Frame, line: Line, look: Look): void {
  const x = placeX(frame)
  const y = placeY(frame)
  const { columns } = line
  const parts = segments(line.y, frame.logY)
  const skipX = frame.logX
  context.lineJoin = 'round'
  context.strokeStyle = line.color
  context.fillStyle = line.color
  if (look.bands) {
    if (look.fill > 0) {
      context.globalAlpha = look.fill
      fillBand(context, frame, line, parts, x, y)
    }
    context.globalAlpha = look.alpha * 0.8
    context.lineWidth = Math.max(1, frame.pixelRatio)
    context.beginPath()
    const found = rememberSpikes(columns, `${frame.y} ${frame.height} ${frame.logY}`, () =>
      spikes(columns, y, 3 * frame.pixelRatio),
    )
    for (const row of found) {
      const px = Math.round(x(columns.x[row])) + 0.5
      context.moveTo(px, y(columns.max[row]))
      context.lineTo(px, lowPlace(frame, columns.min[row], y))
    }
    context.stroke()
  }
  if (line.original !== null) {
    context.globalAlpha = look.alpha * 0.25
    context.lineWidth = Math.max(1, look.width * 0.75)
    strokeParts(context, columns.x, line.original, segments(line.original, frame.logY), x, y, skipX)
  }
  context.globalAlpha = look.alpha
  context.lineWidth = look.width
  if (line.inheritedUntil === null) {
    strokeParts(context, columns.x, line.y, parts, x, y, skipX)
  } else {
    const { before, after } = splitSegments(parts, columns.x, line.inheritedUntil)
    strokeParts(context, columns.x, line.y, after, x, y, skipX)
    context.globalAlpha = look.alpha * INHERITED_ALPHA
    context.setLineDash(INHERITED_DASH.map((length) => length * frame.pixelRatio))
    strokeParts(context, columns.x, line.y, before, x, y, skipX)
    context.setLineDash([])
    context.globalAlpha = look.alpha
  }
  drawDots(context, frame, line, parts, x, y)
  drawNonFinite(context, frame, line, x)
  context.globalAlpha = 1
}

/** A bucket's minimum can be zero or less where its mean is not: on a log axis it reaches the bottom then. */
function lowPlace(frame: Frame, value: number, y: Place): number {
  return frame.logY && value <= 0 ? frame.top + frame.height : y(value)
}

function fillBand(
  context: CanvasRenderingContext2D,
  frame: Frame,
  line: Line,
  parts: Segment[],
  x: Place,
  y: Place,
): void {
  const { columns } = line
  context.beginPath()
  for (const [start, end] of parts) {
    if (end - start < 2) continue
    context.moveTo(x(columns.x[start]), y(columns.max[start]))
    for (let row = start + 1; row < end; row += 1) context.lineTo(x(columns.x[row]), y(columns.max[row]))
    for (let row = end - 1; row >= start; row -= 1) {
      context.lineTo(x(columns.x[row]), lowPlace(frame, columns.min[row], y))
    }
    context.closePath()
  }
  context.fill()
}

function strokeParts(
  context: CanvasRenderingContext2D,
  xs: Float64Array,
  ys: Float64Array,
  parts: Segment[],
  x: Place,
  y: Place,
  skipX: boolean,
): void {
  context.beginPath()
  for (const [start, end] of parts) {
    let moved = false
    for (let row = start; row < end; row += 1) {
      if (skipX && xs[row] <= 0) continue
      if (moved) context.lineTo(x(xs[row]), y(ys[row]))
      else context.moveTo(x(xs[row]), y(ys[row]))
      moved = true
    }
  }
  context.stroke()
}

/** Points far enough apart to be told from each other get a dot, and so does a point that stands alone. */
const DOT_GAP = 14

function drawDots(
  context: CanvasRenderingContext2D,
  frame: Frame,
  line: Line,
  parts: Segment[],
  x: Place,
  y: Place,
): void {
  const xs = line.columns.x
  const radius = 2 * frame.pixelRatio
  context.beginPath()
  for (const [start, end] of parts) {
    const width = x(xs[end - 1]) - x(xs[start])
    const sparse = end - start === 1 || width / (end - start - 1) >= DOT_GAP * frame.pixelRatio
    if (!sparse) continue
    for (let row = start; row < end; row += 1) {
      if (frame.logX && xs[row] <= 0) continue
      const px = x(xs[row])
      const py = y(line.y[row])
      context.moveTo(px + radius, py)
      context.arc(px, py, radius, 0, 2 * Math.PI)
    }
  }
  context.fill()
}

/** NaN is a cross at the bottom edge, infinities are triangles at the edge they went past. */
function drawNonFinite(context: CanvasRenderingContext2D, frame: Frame, line: Line, x: Place): void {
  const { columns } = line
  if (!rememberNonFinite(columns, '', () => hasNonFinite(columns))) return
  const size = 3.5 * frame.pixelRatio
  const top = frame.top + size + frame.pixelRatio
  const bottom = frame.top + frame.height - size - frame.pixelRatio
  context.lineWidth = 1.5 * frame.pixelRatio
  context.beginPath()
  for (let row = 0; row < columns.count.length; row += 1) {
    if (columns.nan[row] === 0) continue
    const px = x(columns.x[row])
    context.moveTo(px - size, bottom - size)
    context.lineTo(px + size, bottom + size)
    context.moveTo(px + size, bottom - size)
    context.lineTo(px - size, bottom + size)
  }
  context.stroke()
  context.beginPath()
  for (let row = 0; row < columns.count.length; row += 1) {
    const px = x(columns.x[row])
    if (columns.positiveInfinity[row] > 0) triangle(context, px, top, size, -1)
    if (columns.negativeInfinity[row] > 0) triangle(context, px, bottom, size, 1)
  }
  context.fill()
}

function triangle(context: CanvasRenderingContext2D, x: number, y: number, size: number, direction: 1 | -1): void {
  context.moveTo(x - size, y - direction * size)
  context.lineTo(x + size, y - direction * size)
  context.lineTo(x, y + direction * size)
  context.closePath()
}
