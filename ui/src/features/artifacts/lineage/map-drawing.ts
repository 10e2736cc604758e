import type { Look } from '~/features/artifacts/lineage/draw-graph'
import type { Scene } from '~/features/artifacts/lineage/scene'
import type { Rectangle } from '~/features/artifacts/lineage/viewport'

const MARGIN = 6
/** However small the nodes are, one sees them. */
const LEAST_PIXELS = 1.5

/** The whole graph in little room, and which part of it is in sight. The nodes are drawn once and kept. */
export class MapDrawing {
  private readonly nodes = document.createElement('canvas')
  private drawn: { scene: Scene; look: Look } | null = null
  private scale = 1
  private left = 0
  private top = 0

  constructor(private readonly canvas: HTMLCanvasElement) {}

  draw(scene: Scene, look: Look, sight: Rectangle): void {
    const context = this.canvas.getContext('2d')
    // Phones have no room for a map: there it has no size.
    if (context === null || this.canvas.clientWidth === 0) return
    // A map of what is all in sight tells nothing.
    const all = sight.x <= 0 && sight.y <= 0 && sight.x + sight.width >= scene.layout.width
    this.canvas.style.visibility = all && sight.y + sight.height >= scene.layout.height ? 'hidden' : ''
    const isDrawn = this.drawn?.scene === scene && this.drawn.look === look && this.nodes.width > 0
    if (!isDrawn) this.drawNodes(scene, look)
    // Where there is no room for a map it is not displayed, and has no size.
    if (this.nodes.width === 0) return
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    context.drawImage(this.nodes, 0, 0)
    const ratio = window.devicePixelRatio
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    const [x, y] = [this.left + sight.x * this.scale, this.top + sight.y * this.scale]
    const [width, height] = [sight.width * this.scale, sight.height * this.scale]
    context.fillStyle = look.colors.sight
    context.strokeStyle = look.colors.accent
    context.fillRect(x, y, width, height)
    context.strokeRect(x, y, width, height)
  }

  /** The point of the graph at a point of the map, CSS pixels. */
  toPlane(x: number, y: number): { x: number; y: number } {
    return { x: (x - this.left) / this.scale, y: (y - this.top) / this.scale }
  }

  private drawNodes(scene: Scene, look: Look): void {
    this.drawn = { scene, look }
    const ratio = window.devicePixelRatio
    const { clientWidth: width, clientHeight: height } = this.canvas
    for (const canvas of [this.canvas, this.nodes]) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    const { layout, boxes, graph } = scene
    this.scale = Math.min(
      (width - 2 * MARGIN) / Math.max(1, layout.width),
      (height - 2 * MARGIN) / Math.max(1, layout.height),
    )
    this.left = (width - layout.width * this.scale) / 2
    this.top = (height - layout.height * this.scale) / 2
    const context = this.nodes.getContext('2d')
    if (context === null) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    for (const [index, box] of boxes.entries()) {
      if (graph.nodes[index].kind === 'joint') continue
      context.globalAlpha = look.way === null || look.way.nodes.has(index) ? 1 : look.colors.dimmed
      context.fillStyle = look.nodeColors[index]
      context.fillRect(
        this.left + layout.x[index] * this.scale,
        this.top + layout.y[index] * this.scale,
        Math.max(LEAST_PIXELS, box.width * this.scale),
        Math.max(LEAST_PIXELS, box.height * this.scale),
      )
    }
  }
}
