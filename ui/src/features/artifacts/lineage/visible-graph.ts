import { dominatedWeights } from '~/features/artifacts/lineage/dominated-weights'
import type { Link } from '~/features/artifacts/lineage/graph-layers'
import { type Bunch, type Grouping, groupSiblings } from '~/features/artifacts/lineage/group-siblings'
import { type Direction, type LineageGraph, type LineageNode, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { waysFromFirst } from '~/features/artifacts/lineage/ways-from-first'

/** What of a lineage somebody wants to see. */
export interface LineageView {
  /** Whether many of a kind are shown as one. */
  grouped: boolean
  /** Groups that are opened, by id. */
  opened: ReadonlySet<string>
  /** Nodes that stand alone, by id. */
  apart: ReadonlySet<string>
  /** Nodes and groups, by id, whose origins (`up`) or results (`down`) are put away. */
  closed: Readonly<Record<Direction, ReadonlySet<string>>>
  /** Kinds that are not shown, as `kindKey` says them. */
  hidden: ReadonlySet<string>
}

export const WHOLE_LINEAGE: LineageView = {
  grouped: true,
  opened: new Set(),
  apart: new Set(),
  closed: { up: new Set(), down: new Set() },
  hidden: new Set(),
}

/** What one gets to, from the version that was asked for, only over one side of a node. */
export interface Side {
  /** Whether it is put away. */
  closed: boolean
  /** How many nodes it is. */
  count: number
}

export interface VisibleNode extends Bunch {
  /** A joint stands for what is filtered out, where something passes through it. */
  kind: 'artifact' | 'run' | 'group' | 'joint'
  /** `null`: there is nothing to put away. */
  up: Side | null
  down: Side | null
}

export interface VisibleGraph {
  /** The first one is the version that was asked for. */
  nodes: readonly VisibleNode[]
  links: readonly Link[]
  /** What each node came from, and what came of it. */
  up: readonly (readonly number[])[]
  down: readonly (readonly number[])[]
}

/** How a filter names what a node is. */
export function kindKey(node: LineageNode): string {
  return `${node.kind} ${typeOf(node)}`
}

/** The nodes, groups and links to show. */
export function visibleGraph(graph: LineageGraph, view: LineageView): VisibleGraph {
  const grouping = groupSiblings(graph, view)
  const all = linksOfBunches(graph, grouping)
  const ways = waysFromFirst(all.up, all.down)
  const isHidden = grouping.bunches.map(({ members }, index) => {
    return index > 0 && view.hidden.has(kindKey(graph.nodes[members[0]]))
  })
  const { bunches } = grouping
  const weights = bunches.map(({ members }, index) => (isHidden[index] ? 0 : members.length))
  const closed = (direction: Direction, index: number) => view.closed[direction].has(bunches[index].id)
  const shown = shownBunches(ways, closed)
  const sides = sidesOf(bunches, ways, weights, closed, shown)
  for (const index of deadEnds(all, isHidden, shown)) shown[index] = 0

  const places = new Map<number, number>()
  for (const index of bunches.keys()) if (shown[index] === 1) places.set(index, places.size)
  const neighbours = (lists: readonly (readonly number[])[]) =>
    [...places.keys()].map((index) => lists[index].filter((each) => places.has(each)).map((each) => places.get(each)!))
  const down = neighbours(all.down)
  return {
    nodes: [...places.keys()].map((index) => ({
      ...bunches[index],
      kind: isHidden[index]
        ? 'joint'
        : bunches[index].members.length > 1
          ? 'group'
          : graph.nodes[bunches[index].members[0]].kind,
      up: isHidden[index] ? null : sides.up[index],
      down: isHidden[index] ? null : sides.down[index],
    })),
    links: down.flatMap((list, from) => list.map((to) => [from, to] as const)),
    up: neighbours(all.up),
    down,
  }
}

type Neighbours = Record<Direction, number[][]>
type IsClosed = (direction: Direction, index: number) => boolean

function linksOfBunches(graph: LineageGraph, { bunches, bunchOf }: Grouping): Neighbours {
  const of = (lists: readonly (readonly number[])[]) =>
    bunches.map(({ members }) => [...new Set(members.flatMap((member) => lists[member]).map((node) => bunchOf[node]))])
  return { up: of(graph.up), down: of(graph.down) }
}

/** What can be reached from the first one without going over a closed side. Links between any two of these are shown. */
function shownBunches(ways: Neighbours, closed: IsClosed): Uint8Array {
  const shown = new Uint8Array(ways.up.length)
  const open = shown.length > 0 ? [0] : []
  shown.fill(1, 0, 1)
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const direction of ['up', 'down'] as const) {
      if (closed(direction, index)) continue
      for (const next of ways[direction][index]) {
        if (shown[next] === 1) continue
        shown[next] = 1
        open.push(next)
      }
    }
  }
  return shown
}

/** What each side puts away when it is closed, or brings back when it is opened. */
function sidesOf(
  bunches: readonly Bunch[],
  ways: Neighbours,
  weights: readonly number[],
  closed: IsClosed,
  shown: Uint8Array,
): Record<Direction, (Side | null)[]> {
  const count = bunches.length
  // Each bunch is three vertices: itself, and its sides, which lead on. A side puts away what it dominates.
  const vertexOf = { up: count, down: 2 * count }
  const next: number[][] = Array.from({ length: 3 * count }, () => [])
  for (let index = 0; index < count; index += 1) {
    for (const direction of ['up', 'down'] as const) {
      if (closed(direction, index)) continue
      next[index].push(vertexOf[direction] + index)
      next[vertexOf[direction] + index] = ways[direction][index]
    }
  }
  const dominated = dominatedWeights(next, 0, [...weights, ...new Array<number>(2 * count).fill(0)])
  const total = (reached: Uint8Array) => weights.reduce((sum, weight, index) => sum + weight * reached[index], 0)
  const before = total(shown)
  const side = (direction: Direction, index: number): Side | null => {
    if (!closed(direction, index)) {
      const hides = dominated[vertexOf[direction] + index]
      return hides === 0 ? null : { closed: false, count: hides }
    }
    if (shown[index] === 0) return null
    const opened: IsClosed = (way, at) => closed(way, at) && !(way === direction && at === index)
    const brings = total(shownBunches(ways, opened)) - before
    return brings === 0 ? null : { closed: true, count: brings }
  }
  return {
    up: bunches.map((_, index) => side('up', index)),
    down: bunches.map((_, index) => side('down', index)),
  }
}

/** What is filtered out and joins nothing with anything. */
function deadEnds(neighbours: Neighbours, isHidden: readonly boolean[], shown: Uint8Array): Set<number> {
  const ends = new Set<number>()
  const live = (index: number) => shown[index] === 1 && !ends.has(index)
  const joins = (index: number) => neighbours.up[index].some(live) && neighbours.down[index].some(live)
  const open = [...isHidden.keys()].filter((index) => isHidden[index] && shown[index] === 1)
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (ends.has(index) || joins(index)) continue
    ends.add(index)
    open.push(...[...neighbours.up[index], ...neighbours.down[index]].filter((each) => isHidden[each] && live(each)))
  }
  return ends
}
