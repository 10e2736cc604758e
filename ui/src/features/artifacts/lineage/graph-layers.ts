/** Which column each node of a directed graph belongs in. */

export type Link = readonly [from: number, to: number]

interface Layers {
  /** The column of each node, from 0 on. */
  layers: Int32Array
  /** Links that close a circle and are turned round for this, by their place. */
  turned: ReadonlySet<number>
}

/** Columns such that arrows go to a later one: as many as there are arrows on the longest way to a node. */
export function depthsOf(count: number, links: readonly Link[]): Layers {
  const { depths, turned } = waysThrough(count, links)
  return { layers: depths, turned }
}

/**
 * As `depthsOf`, but what more arrows leave than reach stands right before what it leads to, for that is nearer: a data set
 * that is first used at the end.
 */
export function layersOf(count: number, links: readonly Link[]): Layers {
  const { depths, turned, order, before, after } = waysThrough(count, links)
  for (const node of order.reverse()) {
    if (after[node].length <= before[node].length) continue
    depths[node] = after[node].reduce((least, next) => Math.min(least, depths[next] - 1), Number.MAX_SAFE_INTEGER)
  }
  return { layers: depths, turned }
}

function waysThrough(count: number, links: readonly Link[]) {
  const turned = closingLinks(count, links)
  const before: number[][] = Array.from({ length: count }, () => [])
  const after: number[][] = Array.from({ length: count }, () => [])
  for (const [index, link] of links.entries()) {
    const [from, to] = turned.has(index) ? [link[1], link[0]] : link
    if (from === to) continue
    after[from].push(to)
    before[to].push(from)
  }
  const order = sorted(before, after)
  const depths = new Int32Array(count)
  for (const node of order) for (const next of after[node]) depths[next] = Math.max(depths[next], depths[node] + 1)
  return { depths, turned, order, before, after }
}

/** The links that lead back to a node on the way to which they were found, depth first. */
function closingLinks(count: number, links: readonly Link[]): Set<number> {
  const leaving: number[][] = Array.from({ length: count }, () => [])
  const reached = new Uint8Array(count)
  for (const [index, [from, to]] of links.entries()) {
    leaving[from].push(index)
    reached[to] = 1
  }
  const closing = new Set<number>()
  const state = new Uint8Array(count)
  const visit = (start: number) => {
    if (state[start] !== UNSEEN) return
    state[start] = ON_THE_WAY
    const way: [node: number, next: number][] = [[start, 0]]
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const [node, next] = top
      const index = leaving[node][next]
      if (index === undefined) {
        state[node] = DONE
        way.pop()
        continue
      }
      top[1] += 1
      const to = links[index][1]
      if (state[to] === ON_THE_WAY) closing.add(index)
      else if (state[to] === UNSEEN) {
        state[to] = ON_THE_WAY
        way.push([to, 0])
      }
    }
  }
  // A circle is cut where it is entered, when anything leads into it.
  for (let node = 0; node < count; node += 1) if (reached[node] === 0) visit(node)
  for (let node = 0; node < count; node += 1) visit(node)
  return closing
}

const UNSEEN = 0
const ON_THE_WAY = 1
const DONE = 2

/** The nodes of a graph without circles, each after all that lead to it. */
function sorted(before: readonly (readonly number[])[], after: readonly (readonly number[])[]): number[] {
  const waiting = before.map((nodes) => nodes.length)
  const order = [...waiting.keys()].filter((node) => waiting[node] === 0)
  for (let place = 0; place < order.length; place += 1) {
    for (const next of after[order[place]]) {
      waiting[next] -= 1
      if (waiting[next] === 0) order.push(next)
    }
  }
  return order
}
