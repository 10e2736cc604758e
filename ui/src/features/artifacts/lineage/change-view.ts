import type { Direction, LineageGraph } from '~/features/artifacts/lineage/lineage-graph'
import { kindKey, type LineageView, type VisibleNode } from '~/features/artifacts/lineage/visible-graph'
import { waysFromFirst } from '~/features/artifacts/lineage/ways-from-first'

/** Puts away, or brings back, what hangs on one side of a node or group. */
export function withSideToggled(view: LineageView, direction: Direction, id: string): LineageView {
  return { ...view, closed: { ...view.closed, [direction]: toggled(view.closed[direction], id) } }
}

export function withKindToggled(view: LineageView, kind: string): LineageView {
  return { ...view, hidden: toggled(view.hidden, kind) }
}

export function withGroupOpened(view: LineageView, group: string): LineageView {
  return { ...view, opened: new Set([...view.opened, group]) }
}

/** The opened groups that a node, and what it hangs on, would stand in; `nodes` are those that are shown. */
export function groupsOnWay(graph: LineageGraph, node: number, nodes: readonly VisibleNode[]): string[] {
  const way = new Set(wayTo(graph, node).map((index) => graph.nodes[index].id))
  return nodes.flatMap(({ id, groupId }) => (groupId !== null && way.has(id) ? [groupId] : []))
}

/** Puts a node, and what it hangs on, back into their groups. */
export function withNodeGrouped(
  view: LineageView,
  graph: LineageGraph,
  node: number,
  nodes: readonly VisibleNode[],
): LineageView {
  const groups = groupsOnWay(graph, node, nodes)
  const members = nodes.filter(({ groupId }) => groupId !== null && groups.includes(groupId)).map(({ id }) => id)
  const way = wayTo(graph, node).map((index) => graph.nodes[index].id)
  return { ...view, opened: without(view.opened, groups), apart: without(view.apart, [...members, ...way]) }
}

/** Shows a node by itself, and the way to it. */
export function withNodeShown(view: LineageView, graph: LineageGraph, node: number): LineageView {
  const way = wayTo(graph, node).map((index) => graph.nodes[index])
  const ids = way.map(({ id }) => id)
  return {
    ...view,
    apart: new Set([...view.apart, ...ids]),
    closed: { up: without(view.closed.up, ids), down: without(view.closed.down, ids) },
    hidden: without(view.hidden, way.map(kindKey)),
  }
}

/** A shortest way from the first node to another one, both included; only the latter when nothing links them. */
export function wayTo(graph: LineageGraph, node: number): number[] {
  const { up, down } = waysFromFirst(graph.up, graph.down)
  const from = new Map([[0, -1]])
  const order = [0]
  for (let place = 0; place < order.length && !from.has(node); place += 1) {
    for (const next of [...up[order[place]], ...down[order[place]]]) {
      if (from.has(next)) continue
      from.set(next, order[place])
      order.push(next)
    }
  }
  const way = [node]
  for (let before = from.get(node) ?? -1; before >= 0; before = from.get(before) ?? -1) way.push(before)
  return way.reverse()
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  return set.has(item) ? without(set, [item]) : new Set([...set, item])
}

function without(set: ReadonlySet<string>, items: readonly string[]): ReadonlySet<string> {
  const rest = new Set(set)
  for (const item of items) rest.delete(item)
  return rest
}
