/** Points in space with a colour each, and what is drawn around them. */
export interface PointCloud {
  /** x, y, z of each point. */
  positions: Float32Array
  /** Red, green and blue of each point, from 0 to 1. */
  colors: Float32Array
  boxes: CloudBox[]
  vectors: { start: Point; end: Point }[]
}

export interface CloudBox {
  corners: Point[]
  label: string | null
  color: Point | null
}

export type Point = [number, number, number]

export class NotAScene extends Error {
  override name = 'NotAScene'
}

/** More than these are thinned out evenly: no screen shows more, and no laptop's memory likes them. */
export const MAX_POINTS = 2_000_000
const MAX_BOXES = 2_000
const CORNERS = 8

/** Colours of categories 1, 2, …, and of points about which nothing is said. */
const CATEGORIES = [
  '#6c8cff',
  '#f59a42',
  '#2fbf94',
  '#e06bb4',
  '#a184ff',
  '#d9b93a',
  '#3cc0e6',
  '#f2736b',
  '#9ccc4f',
  '#c08a66',
]
const PLAIN: Point = [0.55, 0.62, 0.95]

/**
 * The points of a `.pts.json` file: a list of `[x, y, z]`, `[x, y, z, category]` or `[x, y, z, red, green, blue]` with
 * colours to 255, or an object with such `points`, `boxes` and `vectors`. What is no point is left out.
 */
export function readPointCloud(text: string): PointCloud {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new NotAScene('the file is no JSON')
  }
  const { points, boxes, vectors } = Array.isArray(value)
    ? { points: value, boxes: [], vectors: [] }
    : ((value ?? {}) as Record<string, unknown>)
  if (!Array.isArray(points)) throw new NotAScene('the file has no list of points')
  const every = Math.max(1, Math.ceil(points.length / MAX_POINTS))
  const room = Math.ceil(points.length / every)
  const positions = new Float32Array(room * 3)
  const colors = new Float32Array(room * 3)
  let count = 0
  for (let index = 0; index < points.length; index += every) {
    const point: unknown = points[index]
    const place = toPoint(point)
    if (place === null) continue
    positions.set(place, count * 3)
    colors.set(colorOf(point as unknown[]), count * 3)
    count += 1
  }
  return {
    positions: positions.subarray(0, count * 3),
    colors: colors.subarray(0, count * 3),
    boxes: listOf(boxes).slice(0, MAX_BOXES).flatMap(toBox),
    vectors: listOf(vectors).slice(0, MAX_BOXES).flatMap(toVector),
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function toPoint(value: unknown): Point | null {
  if (!Array.isArray(value)) return null
  const [x, y, z] = value as unknown[]
  return Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z) ? [x as number, y as number, z as number] : null
}

function colorOf(point: readonly unknown[]): Point {
  if (point.length >= 6) {
    return [point[3], point[4], point[5]].map((part) => Math.min(1, Math.max(0, Number(part) / 255 || 0))) as Point
  }
  const category = point[3]
  return typeof category === 'number' && Number.isFinite(category) ? categoryColor(category) : PLAIN
}

function categoryColor(category: number): Point {
  const { length } = CATEGORIES
  const hex = CATEGORIES[(((Math.round(category) - 1) % length) + length) % length]
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Point
}

function toBox(value: unknown): CloudBox[] {
  if (typeof value !== 'object' || value === null) return []
  const { corners, label, color } = value as Record<string, unknown>
  const places = listOf(corners).map(toPoint)
  if (places.length !== CORNERS || places.includes(null)) return []
  const shade = toPoint(color)
  return [
    {
      corners: places as Point[],
      label: typeof label === 'string' && label !== '' ? label : null,
      color: shade === null ? null : (shade.map((part) => Math.min(1, Math.max(0, part / 255))) as Point),
    },
  ]
}

function toVector(value: unknown): { start: Point; end: Point }[] {
  if (typeof value !== 'object' || value === null) return []
  const { start, end } = value as Record<string, unknown>
  const [from, to] = [toPoint(start), toPoint(end)]
  return from === null || to === null ? [] : [{ start: from, end: to }]
}

/**
 * The twelve edges of a box as pairs of its corners, in whatever order these come: each corner is joined to the three that
 * it shares an edge with. In a box the corner opposite is reached by all three edges together, one across a side by two.
 */
export function boxEdges(corners: readonly Point[]): [number, number][] {
  const edges: [number, number][] = []
  for (let from = 0; from < corners.length; from += 1) {
    const near = corners
      .map((corner, to) => ({ to, distance: distanceOf(corners[from], corner) }))
      .filter(({ to }) => to !== from)
      .sort((a, b) => a.distance - b.distance)
    // The nearest two are edges. The third edge is at a right angle to both; a diagonal of their side is not.
    const [first, second] = near
    const third = near
      .slice(2)
      .find(({ to }) => isSquare(corners, from, first.to, to) && isSquare(corners, from, second.to, to))
    for (const { to } of third === undefined ? near.slice(0, 3) : [first, second, third]) {
      if (!edges.some(([a, b]) => (a === from && b === to) || (a === to && b === from))) edges.push([from, to])
    }
  }
  return edges
}

function distanceOf(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

function isSquare(corners: readonly Point[], at: number, a: number, b: number): boolean {
  const [from, left, right] = [corners[at], corners[a], corners[b]]
  const dot = [0, 1, 2].reduce((sum, axis) => sum + (left[axis] - from[axis]) * (right[axis] - from[axis]), 0)
  return Math.abs(dot) <= 1e-3 * distanceOf(from, left) * distanceOf(from, right)
}
