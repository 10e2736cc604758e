import { RowHeights } from '~/lib/row-heights'
import { correctedTop, elementHeight, elementTop, lastTop, type ScrollSpace, scrolledTo } from '~/lib/scroll-space'
import { createStore } from '~/lib/store'

/** What of a list has to be on the page. */
export interface ListWindow {
  /** Rows from here … */
  first: number
  /** … up to and without this one, a few more than are seen. */
  last: number
  /** Where the first of them begins in the element that scrolls, CSS pixels. */
  top: number
  /** The first row of which something is seen. */
  visible: number
  /** Whether the end of the list is seen, and stays so as it grows. */
  following: boolean
  /** Rows that came since that is not so. */
  added: number
}

/** Rows beyond the edges: the browser scrolls before it asks. */
const OVERSCAN = 20
/** So near to the end, it counts as seen. */
const NEAR_END = 4
/** Measured rows that are kept beside those on the page. */
const KEPT_HEIGHTS = 4_000

/**
 * Scrolls a list of any length in an element whose first child is as high as the list, or as browsers allow. Rows have one
 * height until they are measured. TanStack Virtual, which the other lists use, keeps an object for each row and knows no
 * highest element.
 */
export class ListScroller {
  readonly window = createStore<ListWindow>({ first: 0, last: 0, top: 0, visible: 0, following: true, added: 0 })
  private readonly heights: RowHeights
  private element: HTMLElement | null = null
  private viewport = 0
  private width = 0
  private count = 0
  /** How far the content is scrolled, and how far the element: see `scroll-space.ts`. */
  private content = 0
  private scrolled = 0
  private following: boolean
  /** Rows there were when following ended. */
  private seen = 0
  /** A row that stays so far below the top edge until somebody scrolls, while rows above it are measured. */
  private held: { row: number; below: number } | null = null

  /** With a `start`, that row is in the middle at first, else the end is seen. */
  constructor(
    rowHeight: number,
    private start: number | null,
  ) {
    this.heights = new RowHeights(rowHeight)
    this.following = start === null
  }

  /** A ref for the element. */
  readonly attach = (element: HTMLElement | null): (() => void) | undefined => {
    if (element === null) return undefined
    this.element = element
    this.resized()
    const observer = new ResizeObserver(() => this.resized())
    observer.observe(element)
    const scroll = () => this.followElement(element.scrollTop)
    element.addEventListener('scroll', scroll, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', scroll)
      this.element = null
    }
  }

  /** The list has so many rows now. */
  setCount(count: number): void {
    if (this.seen > count) this.seen = count
    this.count = count
    if (this.start !== null && count > 0 && this.viewport > 0) {
      this.seen = count
      this.show(Math.min(this.start, count - 1))
      this.start = null
      return
    }
    this.place()
  }

  /** Scrolls a row into the middle. */
  show(row: number): void {
    this.pause()
    this.held = { row, below: Math.floor((this.viewport - this.heights.base) / 2) }
    this.place(true)
  }

  /** Scrolls a row into the middle unless it is well in sight. */
  reveal(row: number): void {
    const top = this.heights.offsetOf(row) - this.content
    if (top < this.heights.base || top > this.viewport - 2 * this.heights.base) this.show(row)
  }

  /** Scrolls to the first row. */
  showStart(): void {
    this.pause()
    this.held = null
    this.content = 0
    this.place(true)
  }

  /** Scrolls to the end, and stays there as the list grows. */
  follow(): void {
    this.following = true
    this.held = null
    this.place(true)
  }

  pause(): void {
    if (!this.following) return
    this.following = false
    this.seen = this.count
    this.publish()
  }

  /** Says how high rows on the page are; what is seen stays where it is. */
  measure(rows: readonly (readonly [row: number, height: number])[]): void {
    const anchor = this.anchor()
    let changed = false
    for (const [row, height] of rows) changed = this.heights.set(row, height) || changed
    if (!changed) return
    if (this.heights.size > 2 * KEPT_HEIGHTS) this.heights.keep(anchor.row - KEPT_HEIGHTS, anchor.row + KEPT_HEIGHTS)
    this.content = this.heights.offsetOf(anchor.row) - anchor.below
    this.place()
  }

  /** Rows have other heights from now on: measured ones are as high as the others until they are measured again. */
  restyled(): void {
    const { row, below } = this.anchor()
    this.heights.clear()
    this.content = this.heights.offsetOf(row) - Math.max(below, -this.heights.base)
    this.place()
  }

  private get space(): ScrollSpace {
    return { content: this.heights.offsetOf(this.count), viewport: this.viewport }
  }

  private anchor(): { row: number; below: number } {
    if (this.held !== null) return this.held
    const row = this.heights.rowAt(this.content)
    return { row, below: this.heights.offsetOf(row) - this.content }
  }

  private resized(): void {
    if (this.element === null) return
    const { clientHeight, clientWidth } = this.element
    this.viewport = clientHeight
    if (clientWidth !== this.width) {
      this.width = clientWidth
      if (this.heights.size > 0) this.restyled()
    }
    if (this.start === null) this.place()
    else this.setCount(this.count)
  }

  private followElement(top: number): void {
    const moved = top - this.scrolled
    // Our own scrolling comes back as an event too.
    if (Math.abs(moved) < 1) return
    const { space } = this
    this.content = scrolledTo(space, this.content, this.scrolled, top)
    this.scrolled = top
    this.held = null
    const atEnd = this.content >= lastTop(space) - NEAR_END
    if (atEnd) this.following = true
    else if (moved < 0) this.pause()
    this.place()
  }

  /** Brings the element to where the content is; with `exactly`, the scrollbar stands where it belongs. */
  private place(exactly = false): void {
    const { space, element } = this
    if (this.following) this.content = lastTop(space)
    else if (this.held !== null) this.content = this.heights.offsetOf(this.held.row) - this.held.below
    this.content = Math.min(lastTop(space), Math.max(0, this.content))
    if (element !== null) {
      const child = element.firstElementChild as HTMLElement | null
      if (child !== null) child.style.height = `${elementHeight(space)}px`
      const ideal = exactly ? elementTop(space, this.content) : correctedTop(space, this.content, this.scrolled)
      if (ideal !== null) {
        element.scrollTop = ideal
        // Browsers round it.
        this.scrolled = element.scrollTop
      }
    }
    this.publish()
  }

  private publish(): void {
    const { heights, count, content, viewport } = this
    const visible = heights.rowAt(content)
    const first = Math.max(0, visible - OVERSCAN)
    const last = Math.min(count, heights.rowAt(content + viewport) + 1 + OVERSCAN)
    const next: ListWindow = {
      first: Math.min(first, last),
      last,
      top: heights.offsetOf(first) - content + this.scrolled,
      visible,
      following: this.following,
      added: this.following ? 0 : Math.max(0, count - this.seen),
    }
    const before = this.window.get()
    const same = (Object.keys(next) as (keyof ListWindow)[]).every((name) => next[name] === before[name])
    if (!same) this.window.set(next)
  }
}
