import { drawGraph, type Look, planeInSight } from '~/features/artifacts/lineage/draw-graph'
import { MapDrawing } from '~/features/artifacts/lineage/map-drawing'
import { boxAt, nodeAt, nodesIn, type Scene } from '~/features/artifacts/lineage/scene'
import {
  between,
  filled,
  fitted,
  keptInSight,
  panned,
  type Rectangle,
  revealed,
  type Size,
  toPlane,
  type Viewport,
  zoomedTo,
} from '~/features/artifacts/lineage/viewport'
import { createStore } from '~/lib/store'

/** Which nodes are on the page as cards. */
export interface CardWindow {
  scene: Scene | null
  /** Whether cards are large enough to be read; else the canvas draws blocks. */
  asCards: boolean
  /** By place in the scene, in ascending order. */
  nodes: readonly number[]
}

/** Smaller cards cannot be read. */
const CARD_SCALE = 0.5
/** Cards are on the page before they come into sight, screen pixels. */
const CARD_MARGIN = 300
/** The part of the plane for which cards are on the page moves in such steps, so that they seldom change. */
const WINDOW_STEP = 200
/** So much of the graph stays in sight. */
const SIGHT_MARGIN = 60
const FIT_MARGIN = 48
const REVEAL_MARGIN = 66
const ANIMATION_MILLIS = 280
/** So long after the last move the cards are drawn sharply again. */
const SETTLE_MILLIS = 140

/**
 * A plane with a graph on it that one moves and zooms: links on a canvas, cards in an element that is moved as a whole.
 * Keeps where one is while the graph changes. Knows nothing of React, which makes the cards that `window` names.
 */
export class GraphStage {
  readonly window = createStore<CardWindow>({ scene: null, asCards: true, nodes: [] })
  readonly scale = createStore(1)
  private screen: HTMLElement | null = null
  private canvas: HTMLCanvasElement | null = null
  /** Whether the canvas has no size yet. */
  private isNewCanvas = true
  private cards: HTMLElement | null = null
  private map: MapDrawing | null = null
  private size: Size = { width: 0, height: 0 }
  private view: Viewport | null = null
  private scene: Scene | null = null
  private look: Look | null = null
  /** The node that stays where it is when the scene changes. */
  private anchor: string | null = null
  private frame = 0
  private settling: ReturnType<typeof setTimeout> | undefined
  private animation: { from: Viewport; to: Viewport; start: number } | null = null

  /** Refs for the element that shows a part of the plane, the canvas and the layer of the cards in it, and the small map. */
  readonly attachScreen = (element: HTMLElement | null): (() => void) | undefined => {
    if (element === null) return undefined
    this.screen = element
    const observer = new ResizeObserver(() => this.resized())
    observer.observe(element)
    this.resized()
    return () => {
      observer.disconnect()
      cancelAnimationFrame(this.frame)
      clearTimeout(this.settling)
      this.frame = 0
      this.screen = null
    }
  }

  readonly attachCanvas = (element: HTMLCanvasElement | null): void => {
    this.canvas = element
    this.isNewCanvas = true
    this.resized()
  }

  readonly attachCards = (element: HTMLElement | null): void => {
    this.cards = element
    this.schedule()
  }

  readonly attachMap = (element: HTMLCanvasElement | null): void => {
    this.map = element === null ? null : new MapDrawing(element)
    this.schedule()
  }

  /** Shows another graph. What was acted upon stays where it is, else the first node does. */
  setScene(scene: Scene): void {
    const before = this.scene
    if (before === scene) return
    this.scene = scene
    this.animation = null
    if (before !== null && this.view !== null) {
      const anchor = this.anchor !== null && before.indexOf.has(this.anchor) && scene.indexOf.has(this.anchor)
      const id = anchor ? this.anchor! : scene.graph.nodes[0].id
      const [old, now] = [before.indexOf.get(id), scene.indexOf.get(id)]
      if (old !== undefined && now !== undefined) {
        const { scale } = this.view
        const [oldBox, nowBox] = [boxAt(before, old), boxAt(scene, now)]
        this.view = panned(this.view, (oldBox.x - nowBox.x) * scale, (oldBox.y - nowBox.y) * scale)
      }
    }
    this.anchor = null
    this.updateWindow()
    this.schedule()
  }

  setLook(look: Look): void {
    this.look = look
    this.schedule()
  }

  /** Keeps a node where it is through the next change of the scene. */
  keep(id: string): void {
    this.anchor = id
  }

  /** Moves what is shown, screen pixels. */
  pan(x: number, y: number): void {
    if (this.view !== null) this.move(panned(this.view, x, y))
  }

  /** Zooms by a factor around a point of the screen element, or its middle. */
  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    if (this.view !== null) this.move(zoomedTo(this.view, this.view.scale * factor, x, y))
  }

  /** As `zoom`, in some steps that one sees. */
  zoomSmoothly(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    const from = this.animation?.to ?? this.view
    if (from !== null) this.moveSmoothly(zoomedTo(from, from.scale * factor, x, y))
  }

  fit(): void {
    if (this.scene !== null) this.moveSmoothly(fitted(planeOf(this.scene), this.size, FIT_MARGIN))
  }

  /** Brings a node into sight, large enough to be read. */
  reveal(id: string): void {
    // What tells about the node may just have taken some of the room.
    this.resized()
    const index = this.scene?.indexOf.get(id)
    if (index === undefined || this.scene === null || this.view === null) return
    const box = boxAt(this.scene, index)
    if (this.view.scale < CARD_SCALE) this.moveSmoothly(inTheMiddle(box, this.size, 0.9))
    else this.moveSmoothly(revealed(this.view, box, this.size, REVEAL_MARGIN))
  }

  /** The node at a point of the screen element. */
  nodeAt(x: number, y: number): number | null {
    if (this.scene === null || this.view === null) return null
    const point = toPlane(this.view, x, y)
    return nodeAt(this.scene, point.x, point.y)
  }

  /** Brings the part of the graph that is at a point of the small map into the middle. */
  showMapPoint(x: number, y: number): void {
    if (this.map === null || this.view === null) return
    const point = this.map.toPlane(x, y)
    const { scale } = this.view
    this.move({ x: this.size.width / 2 - point.x * scale, y: this.size.height / 2 - point.y * scale, scale })
  }

  private move(view: Viewport): void {
    this.animation = null
    this.setView(view)
  }

  private moveSmoothly(to: Viewport): void {
    if (this.view === null) return
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.move(to)
      return
    }
    this.animation = { from: this.view, to, start: performance.now() }
    this.schedule()
  }

  private setView(view: Viewport): void {
    if (this.scene === null) return
    this.view = keptInSight(view, this.scene.layout, this.size, SIGHT_MARGIN)
    this.scale.set(this.view.scale)
    if (this.cards !== null) this.cards.dataset.moving = ''
    clearTimeout(this.settling)
    this.settling = setTimeout(() => {
      if (this.cards !== null) delete this.cards.dataset.moving
    }, SETTLE_MILLIS)
    this.updateWindow()
    this.schedule()
  }

  private resized(): void {
    if (this.screen === null || this.canvas === null) return
    const { clientWidth: width, clientHeight: height } = this.screen
    if (width === this.size.width && height === this.size.height && !this.isNewCanvas) return
    this.isNewCanvas = false
    this.size = { width, height }
    const ratio = window.devicePixelRatio
    this.canvas.width = Math.round(this.size.width * ratio)
    this.canvas.height = Math.round(this.size.height * ratio)
    this.updateWindow()
    // A canvas is empty after its size changed: it must not be seen so.
    this.paint()
  }

  /** At first all of it is shown, or, where that would be too small to read, the version that was asked for. */
  private firstView(scene: Scene): Viewport {
    const whole = fitted(planeOf(scene), this.size, FIT_MARGIN)
    if (whole.scale >= CARD_SCALE + 0.1) return whole
    return filled(inTheMiddle(boxAt(scene, 0), this.size, 0.9), scene.layout, this.size, FIT_MARGIN)
  }

  private updateWindow(): void {
    const { scene, size } = this
    if (scene === null || size.width === 0 || size.height === 0) return
    if (this.view === null) {
      this.view = this.firstView(scene)
      this.scale.set(this.view.scale)
    }
    const asCards = this.view.scale >= CARD_SCALE
    const nodes = asCards ? nodesIn(scene, snapped(planeInSight(this.view, size, CARD_MARGIN))) : []
    const before = this.window.get()
    const same =
      before.scene === scene &&
      before.asCards === asCards &&
      before.nodes.length === nodes.length &&
      nodes.every((node, place) => before.nodes[place] === node)
    if (!same) this.window.set({ scene, asCards, nodes })
  }

  private schedule(): void {
    if (this.frame !== 0 || this.screen === null) return
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0
      this.step(now)
      this.paint()
    })
  }

  private step(now: number): void {
    if (this.animation === null) return
    const { from, to, start } = this.animation
    const part = Math.min(1, Math.max(0, (now - start) / ANIMATION_MILLIS))
    const animation = part < 1 ? this.animation : null
    this.setView(between(from, to, this.size, 1 - (1 - part) ** 3))
    this.animation = animation
    if (animation !== null) this.schedule()
  }

  private paint(): void {
    const { scene, view, look, size } = this
    const context = this.canvas?.getContext('2d')
    if (scene === null || view === null || look === null || !context) return
    drawGraph(context, scene, view, size, look, !this.window.get().asCards)
    if (this.cards !== null) this.cards.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`
    this.map?.draw(scene, look, planeInSight(view, size))
  }
}

function planeOf({ layout }: Scene): Rectangle {
  return { x: 0, y: 0, width: layout.width, height: layout.height }
}

function inTheMiddle(box: Rectangle, screen: Size, scale: number): Viewport {
  return {
    x: screen.width / 2 - (box.x + box.width / 2) * scale,
    y: screen.height / 2 - (box.y + box.height / 2) * scale,
    scale,
  }
}

function snapped({ x, y, width, height }: Rectangle): Rectangle {
  const down = (value: number) => Math.floor(value / WINDOW_STEP) * WINDOW_STEP
  const [left, top] = [down(x), down(y)]
  return {
    x: left,
    y: top,
    width: down(x + width) + WINDOW_STEP - left,
    height: down(y + height) + WINDOW_STEP - top,
  }
}
