import { depthsOf } from '~/features/artifacts/lineage/graph-layers'
import { type Direction, type LineageGraph, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { waysFromFirst } from '~/features/artifacts/lineage/ways-from-first'

/** So many of a kind are shown as one. */
export const MIN_GROUP = 6

/** What is shown in one place: a node, or several that are alike. */
export interface Bunch {
  /** That of the node; of several, a name of their own. */
  id: string
  /** Nodes of the lineage, by index. */
  members: readonly number[]
  /** The bunch of several in which a single node would stand, were it not opened. */
  groupId: string | null
}

export interface Grouping {
  /** The first one is the version that was asked for. */
  bunches: readonly Bunch[]
  /** For each node of the lineage its bunch; -1 for what nothing links with the first one. */
  bunchOf: Int32Array
}

interface GroupingState {
  grouped: boolean
  /** Groups that are opened, by id. */
  opened: ReadonlySet<string>
  /** Nodes that stand alone, by id. */
  apart: ReadonlySet<string>
}

/**
 * Puts nodes together that are of one kind, in one column, and hang on the same node or group as seen from the first one.
 * Since all of a group are in one column, groups bring no circle into a graph that has none.
 */
export function groupSiblings(graph: LineageGraph, { grouped, opened, apart }: GroupingState): Grouping {
  const { nodes, down } = graph
  const ways = waysFromFirst(graph.up, down)
  const { layers } = depthsOf(
    nodes.length,
    down.flatMap((list, from) => list.map((to) => [from, to] as const)),
  )
  const bunches: Bunch[] = []
  const bunchOf = new Int32Array(nodes.length).fill(-1)
  const add = (id: string, members: readonly number[], groupId: string | null) => {
    for (const member of members) bunchOf[member] = bunches.length
    bunches.push({ id, members, groupId })
  }
  if (nodes.length > 0) add(nodes[0].id, [0], null)
  for (let place = 0; place < bunches.length; place += 1) {
    for (const direction of ['up', 'down'] as const) {
      const next = ways[direction]
      const found = new Set(
        bunches[place].members.flatMap((member) => next[member]).filter((node) => bunchOf[node] < 0),
      )
      for (const alike of groupBy([...found], (node) => kindOf(graph, node, layers))) {
        const groupId = alike.length < MIN_GROUP || !grouped ? null : groupIdOf(graph, alike, direction)
        const together =
          groupId === null || opened.has(groupId) ? [] : alike.filter((node) => !apart.has(nodes[node].id))
        const inGroup = new Set(together.length > 1 ? together : [])
        if (groupId !== null && inGroup.size > 0) add(groupId, [...inGroup], null)
        for (const node of alike) if (!inGroup.has(node)) add(nodes[node].id, [node], groupId)
      }
    }
  }
  return { bunches, bunchOf }
}

function kindOf({ nodes }: LineageGraph, node: number, layers: Int32Array): string {
  return `${layers[node]} ${nodes[node].kind} ${typeOf(nodes[node])}`
}

function groupIdOf({ nodes }: LineageGraph, members: readonly number[], direction: Direction): string {
  return `group ${direction} ${nodes[members[0]].id}`
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}
