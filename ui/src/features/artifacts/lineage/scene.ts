import { type Box, type GraphLayout, layoutGraph } from '~/features/artifacts/lineage/graph-layout'
import { reach } from '~/features/artifacts/lineage/reach'
import type { Rectangle } from '~/features/artifacts/lineage/viewport'
import type { VisibleGraph, VisibleNode } from '~/features/artifacts/lineage/visible-graph'

/** A graph with all that is needed to draw it. */
export interface Scene {
  graph: VisibleGraph
  boxes: readonly Box[]
  layout: GraphLayout
  /** The nodes by id. */
  indexOf: ReadonlyMap<string, number>
  /** For each link left, top, right and bottom of what it goes through. */
  linkBounds: Float64Array
}

const CARD: Box = { width: 212, height: 48 }
const JOINT: Box = { width: 10, height: 10 }

export function sceneOf(graph: VisibleGraph): Scene {
  const boxes = graph.nodes.map(({ kind }) => (kind === 'joint' ? JOINT : CARD))
  const layout = layoutGraph(boxes, graph.links)
  const indexOf = new Map(graph.nodes.map(({ id }, index) => [id, index]))
  return { graph, boxes, layout, indexOf, linkBounds: boundsOf(layout.paths) }
}

function boundsOf(paths: GraphLayout['paths']): Float64Array {
  const bounds = new Float64Array(4 * paths.length)
  for (const [index, path] of paths.entries()) {
    const at = 4 * index
    bounds.set([path[0], path[1], path[0], path[1]], at)
    for (let point = 2; point < path.length; point += 2) {
      bounds[at] = Math.min(bounds[at], path[point])
      bounds[at + 1] = Math.min(bounds[at + 1], path[point + 1])
      bounds[at + 2] = Math.max(bounds[at + 2], path[point])
      bounds[at + 3] = Math.max(bounds[at + 3], path[point + 1])
    }
  }
  return bounds
}

export function boxAt({ boxes, layout }: Scene, index: number): Rectangle {
  return { x: layout.x[index], y: layout.y[index], ...boxes[index] }
}

/** The node at a point of the plane. */
export function nodeAt(scene: Scene, x: number, y: number): number | null {
  for (const index of scene.boxes.keys()) {
    const box = boxAt(scene, index)
    if (x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height) return index
  }
  return null
}

/** The nodes of which something is in a part of the plane. */
export function nodesIn(scene: Scene, { x, y, width, height }: Rectangle): number[] {
  return [...scene.boxes.keys()].filter((index) => {
    const box = boxAt(scene, index)
    return box.x < x + width && box.x + box.width > x && box.y < y + height && box.y + box.height > y
  })
}

/** What led to a node and what came of it: itself, all of these, and the links between them. */
export interface Way {
  nodes: ReadonlySet<number>
  links: ReadonlySet<number>
}

export function wayThrough({ graph }: Scene, node: number): Way {
  const before = reach(graph.up, node).add(node)
  const after = reach(graph.down, node).add(node)
  const links = [...graph.links.keys()].filter((index) => {
    const [from, to] = graph.links[index]
    return (before.has(from) && before.has(to)) || (after.has(from) && after.has(to))
  })
  return { nodes: new Set([...before, ...after]), links: new Set(links) }
}

/** Where an arrow key leads from a node: along a link to the nearest, or to the next in the same column. */
export function neighbourOf(scene: Scene, node: number, key: string): number | null {
  const { graph, layout } = scene
  if (key === 'ArrowLeft') return nearest(scene, node, graph.up[node])
  if (key === 'ArrowRight') return nearest(scene, node, graph.down[node])
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return null
  const sign = key === 'ArrowDown' ? 1 : -1
  const middle = (index: number) => layout.x[index] + scene.boxes[index].width / 2
  const column = [...scene.boxes.keys()].filter(
    (index) => graph.nodes[index].kind !== 'joint' && Math.abs(middle(index) - middle(node)) < 1,
  )
  const beyond = column.filter((index) => (layout.y[index] - layout.y[node]) * sign > 0)
  return nearest(scene, node, beyond)
}

/** The one at the most similar height; over joints to what is behind them. */
function nearest(scene: Scene, node: number, candidates: readonly number[]): number | null {
  const { graph, layout } = scene
  const distance = (index: number) => Math.abs(layout.y[index] - layout.y[node])
  const real = candidates.filter((index) => graph.nodes[index].kind !== 'joint')
  const behind = candidates
    .filter((index) => graph.nodes[index].kind === 'joint')
    .flatMap((joint) => {
      const next = graph.up[joint].includes(node) ? graph.down : graph.up
      return [...reach(next, joint)].filter((index) => isCard(graph.nodes[index]))
    })
  const all = real.length > 0 ? real : behind
  return all.length === 0 ? null : all.reduce((best, index) => (distance(index) < distance(best) ? index : best))
}

function isCard({ kind }: VisibleNode): boolean {
  return kind !== 'joint'
}
