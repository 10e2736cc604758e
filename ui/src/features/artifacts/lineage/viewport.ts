/** What of a plane is seen, and how large: a point of the plane is at `point * scale + (x, y)` of the screen. */
export interface Viewport {
  x: number
  y: number
  scale: number
}

export interface Size {
  width: number
  height: number
}

export interface Rectangle extends Size {
  x: number
  y: number
}

export const MIN_SCALE = 0.02
export const MAX_SCALE = 2

export function clampScale(scale: number): number {
  return Math.max(MIN_SCALE, Math.min(MAX_SCALE, scale))
}

/** The point of the plane that is at (`x`, `y`) of the screen. */
export function toPlane(view: Viewport, x: number, y: number): { x: number; y: number } {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale }
}

export function panned(view: Viewport, x: number, y: number): Viewport {
  return { ...view, x: view.x + x, y: view.y + y }
}

/** As large as `scale` says, within bounds; what is at (`x`, `y`) of the screen stays there. */
export function zoomedTo(view: Viewport, scale: number, x: number, y: number): Viewport {
  const next = clampScale(scale)
  const point = toPlane(view, x, y)
  return { x: x - point.x * next, y: y - point.y * next, scale: next }
}

/** All of a part of the plane in the middle of the screen, at most as large as `most`. */
export function fitted(part: Rectangle, screen: Size, margin: number, most = 1): Viewport {
  const width = Math.max(1, screen.width - 2 * margin)
  const height = Math.max(1, screen.height - 2 * margin)
  const scale = clampScale(Math.min(most, width / Math.max(1, part.width), height / Math.max(1, part.height)))
  return {
    x: screen.width / 2 - (part.x + part.width / 2) * scale,
    y: screen.height / 2 - (part.y + part.height / 2) * scale,
    scale,
  }
}

/** As little further as brings a part of the plane onto the screen, `margin` from its edges. */
export function revealed(view: Viewport, part: Rectangle, screen: Size, margin: number): Viewport {
  const along = (start: number, length: number, offset: number, room: number) => {
    const low = start * view.scale + offset
    const high = low + length * view.scale
    if (low < margin || high - low > room - 2 * margin) return margin - low
    return Math.min(0, room - margin - high)
  }
  return panned(
    view,
    along(part.x, part.width, view.x, screen.width),
    along(part.y, part.height, view.y, screen.height),
  )
}

/** Keeps something of the plane in sight: a corner of it, at least. */
export function keptInSight(view: Viewport, plane: Size, screen: Size, margin: number): Viewport {
  const bound = (offset: number, length: number, room: number) =>
    Math.max(margin - length * view.scale, Math.min(room - margin, offset))
  return {
    x: bound(view.x, plane.width, screen.width),
    y: bound(view.y, plane.height, screen.height),
    scale: view.scale,
  }
}

/** No emptier at one side than it must be: what is smaller than the screen stands in its middle. */
export function filled(view: Viewport, plane: Size, screen: Size, margin: number): Viewport {
  const along = (offset: number, length: number, room: number) => {
    const spare = room - length * view.scale
    return spare > 2 * margin ? spare / 2 : Math.max(spare - margin, Math.min(margin, offset))
  }
  return {
    x: along(view.x, plane.width, screen.width),
    y: along(view.y, plane.height, screen.height),
    scale: view.scale,
  }
}

/** Part of the way from one to another, `part` from 0 to 1: zooms evenly, as the eye sees it. */
export function between(from: Viewport, to: Viewport, screen: Size, part: number): Viewport {
  const scale = from.scale * (to.scale / from.scale) ** part
  const middle = (view: Viewport) => toPlane(view, screen.width / 2, screen.height / 2)
  const [start, end] = [middle(from), middle(to)]
  const x = start.x + (end.x - start.x) * part
  const y = start.y + (end.y - start.y) * part
  return { x: screen.width / 2 - x * scale, y: screen.height / 2 - y * scale, scale }
}
