import type { Link } from '~/features/artifacts/lineage/graph-layers'

/** How often the order is gone through; it hardly gets better after that. */
const SWEEPS = 8

/**
 * What stands in each column, from top to bottom, so that links cross little: again and again by the mean place of the
 * neighbours in the column before, or after. Links go from a column to the next. What nothing tells apart stays in its order.
 */
export function minimizeCrossings(layers: readonly number[], links: readonly Link[]): number[][] {
  const columns: number[][] = Array.from(
    { length: layers.reduce((most, layer) => Math.max(most, layer + 1), 0) },
    () => [],
  )
  const before: number[][] = layers.map(() => [])
  const after: number[][] = layers.map(() => [])
  for (const [from, to] of links) {
    after[from].push(to)
    before[to].push(from)
  }
  for (const node of inOrderOfWays(layers, before, after)) columns[layers[node]].push(node)
  const places = new Int32Array(layers.length)
  for (const column of columns) for (const [place, node] of column.entries()) places[node] = place

  let best = columns.map((column) => [...column])
  let fewest = countCrossings(columns, after, places)
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    const forth = sweep % 2 === 0
    for (const column of forth ? columns : [...columns].reverse()) sortColumn(column, forth ? before : after, places)
    const crossings = countCrossings(columns, after, places)
    if (crossings >= fewest) continue
    fewest = crossings
    best = columns.map((column) => [...column])
  }
  return best
}

/** Depth first, so that what hangs together stands together from the beginning. */
function inOrderOfWays(
  layers: readonly number[],
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): number[] {
  const seen = new Uint8Array(layers.length)
  const order: number[] = []
  for (let start = 0; start < layers.length; start += 1) {
    const open = [start]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen[node] === 1) continue
      seen[node] = 1
      order.push(node)
      for (const others of [before[node], after[node]]) {
        for (let index = others.length - 1; index >= 0; index -= 1) open.push(others[index])
      }
    }
  }
  return order
}

/** What has no neighbour there stays in its place, the others are sorted around it. */
function sortColumn(column: number[], neighbours: readonly (readonly number[])[], places: Int32Array): void {
  const means = new Map<number, number>()
  for (const node of column) {
    const others = neighbours[node]
    if (others.length > 0) means.set(node, others.reduce((sum, other) => sum + places[other], 0) / others.length)
  }
  const moving = column.filter((node) => means.has(node)).sort((a, b) => means.get(a)! - means.get(b)!)
  let next = 0
  for (const [place, node] of column.entries()) if (means.has(node)) column[place] = moving[next++]
  for (const [place, node] of column.entries()) places[node] = place
}

/** How many pairs of links cross between any two columns: inversions, counted by a tree of sums. */
export function countCrossings(
  columns: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
  places: Int32Array,
): number {
  let crossings = 0
  for (const [index, column] of columns.entries()) {
    const size = columns[index + 1]?.length ?? 0
    const sums = new Int32Array(size + 1)
    let count = 0
    for (const node of column) {
      const ends = after[node].map((end) => places[end]).sort((a, b) => a - b)
      // Links that begin at the same node do not cross.
      for (const end of ends) {
        let atOrBefore = 0
        for (let at = end + 1; at > 0; at -= at & -at) atOrBefore += sums[at]
        crossings += count - atOrBefore
      }
      for (const end of ends) {
        for (let at = end + 1; at <= size; at += at & -at) sums[at] += 1
        count += 1
      }
    }
  }
  return crossings
}
