import { type Link, layersOf } from '~/features/artifacts/lineage/graph-layers'
import { minimizeCrossings } from '~/features/artifacts/lineage/minimize-crossings'
import { placeInColumn } from '~/features/artifacts/lineage/place-in-column'

export interface Box {
  width: number
  height: number
}

/** Where boxes and links stand; x goes right, y down, from 0 on. */
export interface GraphLayout {
  /** Left and upper edges, in the order of the boxes. */
  x: Float64Array
  y: Float64Array
  /** For each link the points it goes through, `[x, y, x, y, …]`: straight where y is the same, else a bend. */
  paths: readonly (readonly number[])[]
  width: number
  height: number
}

/** Room between columns, in which links bend. */
const COLUMN_GAP = 84
const BOX_GAP = 12
/** Room around a link that passes a column. */
const PASSING_HEIGHT = 10
/** How often the heights in all columns are brought nearer to those of their neighbours. */
const ROUNDS = 6

/**
 * Boxes in columns from left to right, so that links cross little and run straight where they can: layers, then their order,
 * then heights (Sugiyama's method). A thousand boxes take some tens of milliseconds; dagre takes a second for the same.
 */
export function layoutGraph(boxes: readonly Box[], links: readonly Link[]): GraphLayout {
  const { layers, turned } = layersOf(boxes.length, links)
  const graph = withPassing(boxes, links, layers, turned)
  const columns = minimizeCrossings(graph.layers, graph.links)
  const middles = heightsOf(graph, columns)
  const { lefts, widths, width } = columnsOf(boxes, layers, columns.length)
  const x = Float64Array.from(boxes, (box, index) => lefts[layers[index]] + (widths[layers[index]] - box.width) / 2)
  const y = Float64Array.from(boxes, (box, index) => middles[index] - box.height / 2)
  const least = y.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  for (let index = 0; index < y.length; index += 1) y[index] -= least
  for (let index = 0; index < middles.length; index += 1) middles[index] -= least
  const height = boxes.reduce((most, box, index) => Math.max(most, y[index] + box.height), 0)
  const paths = links.map(([from, to], index) => {
    const [left, right] = turned.has(index) ? [to, from] : [from, to]
    const path = [x[left] + boxes[left].width, middles[left]]
    for (const passing of graph.passing[index]) {
      const column = graph.layers[passing]
      path.push(lefts[column], middles[passing], lefts[column] + widths[column], middles[passing])
    }
    path.push(x[right], middles[right])
    return turned.has(index) ? backwards(path) : path
  })
  return { x, y, paths, width, height }
}

interface LayeredGraph {
  layers: number[]
  heights: number[]
  /** Links from each column to the next. */
  links: Link[]
  /** For each of the original links, what stands for it in the columns it passes. */
  passing: number[][]
}

/** Puts something in every column that a link passes, so that there is room for it. */
function withPassing(
  boxes: readonly Box[],
  links: readonly Link[],
  boxLayers: Int32Array,
  turned: ReadonlySet<number>,
): LayeredGraph {
  const layers = [...boxLayers]
  const heights = boxes.map(({ height }) => height)
  const short: Link[] = []
  const passing = links.map(([from, to], index) => {
    const [left, right] = turned.has(index) ? [to, from] : [from, to]
    const between: number[] = []
    if (left === right) return between
    let last = left
    for (let layer = layers[left] + 1; layer < layers[right]; layer += 1) {
      const node = layers.push(layer) - 1
      heights.push(PASSING_HEIGHT)
      short.push([last, node])
      between.push(node)
      last = node
    }
    short.push([last, right])
    return between
  })
  return { layers, heights, links: short, passing }
}

/** The middle of everything, brought near to what it is linked with, column by column, back and forth. */
function heightsOf({ layers, heights, links }: LayeredGraph, columns: readonly (readonly number[])[]): Float64Array {
  const before: number[][] = layers.map(() => [])
  const after: number[][] = layers.map(() => [])
  for (const [from, to] of links) {
    after[from].push(to)
    before[to].push(from)
  }
  const middles = new Float64Array(layers.length)
  const place = (column: readonly number[], neighbours: (node: number) => readonly number[]) => {
    const wished = column.map((node) => {
      const others = neighbours(node)
      if (others.length === 0) return middles[node]
      return others.reduce((sum, other) => sum + middles[other], 0) / others.length
    })
    const weights = column.map((node) => (neighbours(node).length === 0 ? 0.1 : 1))
    const placed = placeInColumn(
      wished,
      column.map((node) => heights[node]),
      BOX_GAP,
      weights,
    )
    for (const [index, node] of column.entries()) middles[node] = placed[index]
  }
  for (const column of columns) place(column, () => [])
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const column of columns) place(column, (node) => before[node])
    for (const column of [...columns].reverse()) place(column, (node) => after[node])
  }
  for (const column of columns) place(column, (node) => [...before[node], ...after[node]])
  return middles
}

/** Left edges and widths of the columns, and how wide they are together. */
function columnsOf(
  boxes: readonly Box[],
  layers: Int32Array,
  count: number,
): { lefts: number[]; widths: number[]; width: number } {
  const widths = new Array<number>(count).fill(0)
  for (const [index, box] of boxes.entries()) widths[layers[index]] = Math.max(widths[layers[index]], box.width)
  let left = 0
  const lefts = widths.map((width) => {
    const here = left
    left += width + COLUMN_GAP
    return here
  })
  return { lefts, widths, width: Math.max(0, left - COLUMN_GAP) }
}

function backwards(path: readonly number[]): number[] {
  const turned: number[] = []
  for (let index = path.length - 2; index >= 0; index -= 2) turned.push(path[index], path[index + 1])
  return turned
}
