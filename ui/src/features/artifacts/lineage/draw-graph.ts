import type { LineageColors } from '~/features/artifacts/lineage/lineage-colors'
import { nodesIn, type Scene, type Way } from '~/features/artifacts/lineage/scene'
import { type Rectangle, type Size, toPlane, type Viewport } from '~/features/artifacts/lineage/viewport'

/** What of a scene is emphasised, and in which colours it is drawn. */
export interface Look {
  colors: LineageColors
  /** Colours of the nodes, in their order. */
  nodeColors: readonly string[]
  /** Everything else is dimmed; `null`: nothing is. */
  way: Way | null
  selected: number | null
}

const ARROW = 7
/** Below this, corners and arrows are too small to be seen. */
const DETAIL_SCALE = 0.3

/** The part of the plane that is on the screen, and `margin` pixels around it. */
export function planeInSight(view: Viewport, screen: Size, margin = 0): Rectangle {
  const { x, y } = toPlane(view, -margin, -margin)
  return { x, y, width: (screen.width + 2 * margin) / view.scale, height: (screen.height + 2 * margin) / view.scale }
}

/** Draws the links, and the nodes as blocks where they are too small to be read as cards. */
export function drawGraph(
  context: CanvasRenderingContext2D,
  scene: Scene,
  view: Viewport,
  screen: Size,
  look: Look,
  asBlocks: boolean,
): void {
  const ratio = context.canvas.width / Math.max(1, screen.width)
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  context.setTransform(view.scale * ratio, 0, 0, view.scale * ratio, view.x * ratio, view.y * ratio)
  const sight = planeInSight(view, screen)
  drawLinks(context, scene, sight, view.scale, look)
  drawJoints(context, scene, sight, look)
  if (asBlocks) drawBlocks(context, scene, sight, view.scale, look)
}

function drawLinks(
  context: CanvasRenderingContext2D,
  scene: Scene,
  sight: Rectangle,
  scale: number,
  { colors, way }: Look,
): void {
  const plain: number[] = []
  const onWay: number[] = []
  const { linkBounds } = scene
  for (let index = 0; index < scene.layout.paths.length; index += 1) {
    const at = 4 * index
    if (linkBounds[at] > sight.x + sight.width || linkBounds[at + 2] < sight.x) continue
    if (linkBounds[at + 1] > sight.y + sight.height || linkBounds[at + 3] < sight.y) continue
    if (way?.links.has(index)) onWay.push(index)
    else plain.push(index)
  }
  const draw = (indices: readonly number[], color: string, width: number, alpha: number) => {
    if (indices.length === 0) return
    context.globalAlpha = alpha
    context.strokeStyle = color
    // A hairline stays one, however far away.
    context.lineWidth = Math.max(width, 1 / scale)
    context.beginPath()
    for (const index of indices) tracePath(context, scene.layout.paths[index])
    context.stroke()
    if (scale >= DETAIL_SCALE) {
      context.fillStyle = color
      context.beginPath()
      for (const index of indices) {
        if (scene.graph.nodes[scene.graph.links[index][1]].kind !== 'joint')
          traceArrow(context, scene.layout.paths[index])
      }
      context.fill()
    }
    context.globalAlpha = 1
  }
  draw(plain, colors.link, 1.5, way === null ? 1 : 0.45)
  draw(onWay, colors.way, 2, 1)
}

function tracePath(context: CanvasRenderingContext2D, path: readonly number[]): void {
  context.moveTo(path[0], path[1])
  for (let point = 2; point < path.length; point += 2) {
    const [x, y, nextX, nextY] = [path[point - 2], path[point - 1], path[point], path[point + 1]]
    const middle = (x + nextX) / 2
    if (y === nextY) context.lineTo(nextX, nextY)
    else context.bezierCurveTo(middle, y, middle, nextY, nextX, nextY)
  }
}

function traceArrow(context: CanvasRenderingContext2D, path: readonly number[]): void {
  const [before, , x, y] = path.slice(-4)
  const back = x > before ? -ARROW : ARROW
  context.moveTo(x, y)
  context.lineTo(x + back, y - ARROW / 2)
  context.lineTo(x + back, y + ARROW / 2)
  context.closePath()
}

function drawJoints(context: CanvasRenderingContext2D, scene: Scene, sight: Rectangle, { colors, way }: Look): void {
  const { layout, boxes, graph } = scene
  for (const index of nodesIn(scene, sight)) {
    if (graph.nodes[index].kind !== 'joint') continue
    context.globalAlpha = way === null || way.nodes.has(index) ? 1 : colors.dimmed
    context.fillStyle = way?.nodes.has(index) ? colors.way : colors.link
    context.beginPath()
    context.arc(layout.x[index] + boxes[index].width / 2, layout.y[index] + boxes[index].height / 2, 4, 0, 2 * Math.PI)
    context.fill()
  }
  context.globalAlpha = 1
}

function drawBlocks(
  context: CanvasRenderingContext2D,
  scene: Scene,
  sight: Rectangle,
  scale: number,
  { colors, nodeColors, way, selected }: Look,
): void {
  const { layout, boxes, graph } = scene
  const cards = nodesIn(scene, sight).filter((index) => graph.nodes[index].kind !== 'joint')
  const isDimmed = (index: number) => way !== null && !way.nodes.has(index)
  for (const dimmed of [true, false]) {
    context.globalAlpha = dimmed ? colors.dimmed : 1
    for (const color of new Set(nodeColors)) {
      context.fillStyle = color
      context.beginPath()
      for (const index of cards) {
        if (nodeColors[index] !== color || isDimmed(index) !== dimmed) continue
        const radius = graph.nodes[index].kind === 'run' ? boxes[index].height / 2 : 8
        if (scale < DETAIL_SCALE)
          context.rect(layout.x[index], layout.y[index], boxes[index].width, boxes[index].height)
        else context.roundRect(layout.x[index], layout.y[index], boxes[index].width, boxes[index].height, radius)
      }
      context.fill()
    }
  }
  context.globalAlpha = 1
  for (const index of new Set([0, ...(selected === null ? [] : [selected])])) {
    // However small the nodes are, one finds the version that was asked for, and the selected node.
    const gap = 4 / scale
    context.strokeStyle = colors.accent
    context.lineWidth = 2 / scale
    context.strokeRect(
      layout.x[index] - gap,
      layout.y[index] - gap,
      boxes[index].width + 2 * gap,
      boxes[index].height + 2 * gap,
    )
  }
}
