import type { GraphStage } from '~/features/artifacts/lineage/graph-stage'

/** A press that moves less than this is a click. */
const DRAG_PIXELS = 4
/** How much a wheel's pixel zooms. */
const WHEEL_ZOOM = 0.0022
const PINCH_WHEEL_ZOOM = 0.01
const LINE_PIXELS = 16

interface Finger {
  x: number
  y: number
}

/**
 * Pans by dragging, by wheel and with a finger; zooms by wheel with Ctrl or ⌘, with two fingers on a touch screen or a
 * trackpad. Answers what ends it.
 */
export function listenToGestures(element: HTMLElement, stage: GraphStage): () => void {
  const fingers = new Map<number, Finger>()
  let start: Finger | null = null
  let dragging = false
  const local = (event: MouseEvent): Finger => {
    const box = element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  const down = (event: PointerEvent) => {
    if (event.pointerType === 'mouse' && event.button !== 0 && event.button !== 1) return
    fingers.set(event.pointerId, local(event))
    start = local(event)
    dragging = false
    // Two fingers are never a click.
    if (fingers.size > 1) drag()
  }
  /** From here on it is no click any more, wherever it ends, and whatever card comes under the pointer. */
  const drag = () => {
    dragging = true
    element.dataset.dragging = ''
    for (const id of fingers.keys()) element.setPointerCapture(id)
  }
  const move = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId)
    if (before === undefined || start === null) return
    const now = local(event)
    if (!dragging) {
      if (Math.hypot(now.x - start.x, now.y - start.y) < DRAG_PIXELS) return
      drag()
    }
    fingers.set(event.pointerId, now)
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, finger]) => finger)
    const share = 1 / fingers.size
    stage.pan((now.x - before.x) * share, (now.y - before.y) * share)
    if (others.length === 1) pinch(stage, before, now, others[0])
  }
  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId)
    if (fingers.size > 0) return
    delete element.dataset.dragging
  }
  const click = (event: MouseEvent) => {
    if (!dragging) return
    dragging = false
    event.stopPropagation()
    event.preventDefault()
  }
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const { x, y } = local(event)
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1
    if (event.ctrlKey || event.metaKey) {
      // Browsers tell of a trackpad's two fingers as a wheel with Ctrl and small numbers.
      const speed = Math.abs(event.deltaY) < 50 ? PINCH_WHEEL_ZOOM : WHEEL_ZOOM
      stage.zoom(Math.exp(-event.deltaY * unit * speed), x, y)
    } else if (event.shiftKey && event.deltaX === 0) stage.pan(-event.deltaY * unit, 0)
    else stage.pan(-event.deltaX * unit, -event.deltaY * unit)
  }
  const stop = new AbortController()
  const options = { signal: stop.signal }
  element.addEventListener('pointerdown', down, options)
  element.addEventListener('pointermove', move, options)
  element.addEventListener('pointerup', up, options)
  element.addEventListener('pointercancel', up, options)
  element.addEventListener('click', click, { ...options, capture: true })
  element.addEventListener('wheel', wheel, { ...options, passive: false })
  return () => stop.abort()
}

/** Zooms as two fingers move apart, around the middle between them. */
function pinch(stage: GraphStage, before: Finger, now: Finger, other: Finger): void {
  const distance = (finger: Finger) => Math.max(1, Math.hypot(finger.x - other.x, finger.y - other.y))
  stage.zoom(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2)
}
