/**
 * A list may be higher than a browser lets an element be (17 to 33 million pixels). Beyond `MAX_HEIGHT` the element that
 * scrolls is lower than its content: a small scroll moves the content by as many pixels, a large one, which is a drag of the
 * scrollbar, by its share of the whole. Both tops agree to the pixel near both ends.
 */
export interface ScrollSpace {
  /** Height of everything, CSS pixels. */
  content: number
  /** Height of what is seen, CSS pixels. */
  viewport: number
}

/** Well below what any browser can do. */
export const MAX_HEIGHT = 8_000_000
/** So far from an end, the element is scrolled exactly as its content. */
const EXACT = 50_000
/** How far the two may drift apart before the scrollbar is put right: a few pixels of its track. */
const DRIFT = 25_000
/** A scroll by more than so many viewports, and as much as a pixel of any screen's scrollbar stands for, is a drag of it. */
const DRAG_VIEWPORTS = 3
const SCREEN_PIXELS = 2_000

export function elementHeight({ content }: ScrollSpace): number {
  return Math.min(content, MAX_HEIGHT)
}

/** The last place that the content can be scrolled to. */
export function lastTop({ content, viewport }: ScrollSpace): number {
  return Math.max(0, content - viewport)
}

/** Where the scrollbar stands when the content is scrolled to `top`. */
export function elementTop(space: ScrollSpace, top: number): number {
  const last = lastTop(space)
  const hidden = space.content - elementHeight(space)
  const middle = last - 2 * EXACT
  if (hidden <= 0 || middle <= 0) return top
  return top - hidden * clamp((top - EXACT) / middle, 0, 1)
}

/** Where the content is when somebody dragged the scrollbar to `top`: the inverse of `elementTop`. */
export function contentTop(space: ScrollSpace, top: number): number {
  const height = elementHeight(space)
  const hidden = space.content - height
  const last = height - space.viewport
  if (hidden <= 0) return clamp(top, 0, lastTop(space))
  if (top <= EXACT) return Math.max(0, top)
  if (top >= last - EXACT) return lastTop(space) - Math.max(0, last - top)
  return EXACT + ((top - EXACT) / (last - 2 * EXACT)) * (lastTop(space) - 2 * EXACT)
}

/** Where the content goes when the browser scrolls the element from `before` to `after`. */
export function scrolledTo(space: ScrollSpace, content: number, before: number, after: number): number {
  const moved = after - before
  const drag = Math.max(DRAG_VIEWPORTS * space.viewport, elementHeight(space) / SCREEN_PIXELS)
  if (Math.abs(moved) > drag) return contentTop(space, after)
  return clamp(content + moved, 0, lastTop(space))
}

/** What the element has to be scrolled to so that one can go on from there to both ends; `null` when it stands well. */
export function correctedTop(space: ScrollSpace, content: number, element: number): number | null {
  const ideal = elementTop(space, content)
  const last = Math.max(0, elementHeight(space) - space.viewport)
  const stuck =
    (element <= 0 && content > 0) ||
    (element >= last && content < lastTop(space)) ||
    (content <= 0 && element > 0) ||
    (content >= lastTop(space) && element < last)
  return (stuck || Math.abs(ideal - element) > DRIFT) && Math.abs(ideal - element) >= 1 ? ideal : null
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
