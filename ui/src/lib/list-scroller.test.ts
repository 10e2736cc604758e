import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ListScroller } from '~/lib/list-scroller'

const ROW = 20
const VIEWPORT = 600

/** What a browser does of scrolling: it keeps `scrollTop` within what is there, and tells when it changes. */
class FakeElement {
  clientHeight = VIEWPORT
  clientWidth = 800
  firstElementChild = { style: { height: '0px' } }
  private top = 0
  private listener: () => void = () => undefined

  addEventListener(_: string, listener: () => void): void {
    this.listener = listener
  }
  removeEventListener(): void {}

  get scrollTop(): number {
    return this.top
  }
  set scrollTop(top: number) {
    const height = Number.parseFloat(this.firstElementChild.style.height)
    this.top = Math.max(0, Math.min(top, height - this.clientHeight))
  }

  /** Somebody turns the wheel, or drags the scrollbar. */
  scroll(pixels: number): void {
    this.scrollTop += pixels
    this.listener()
  }
}

let resized: () => void

beforeEach(() => {
  class FakeObserver {
    constructor(callback: () => void) {
      resized = callback
    }
    observe(): void {}
    disconnect(): void {}
  }
  vi.stubGlobal('ResizeObserver', FakeObserver)
})
afterEach(() => vi.unstubAllGlobals())

function attach(scroller: ListScroller): FakeElement {
  const element = new FakeElement()
  scroller.attach(element as unknown as HTMLElement)
  return element
}

/** Where a row is below the top edge of what is seen. */
function seenAt(scroller: ListScroller, element: FakeElement, row: number, heightOf = (_: number) => ROW): number {
  const { first, top } = scroller.window.get()
  let at = top
  for (let each = first; each < row; each += 1) at += heightOf(each)
  return at - element.scrollTop
}

test('the end is seen at first, and stays so as the list grows', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(1_000)
  expect(seenAt(scroller, element, 1_000)).toBe(VIEWPORT)
  scroller.setCount(1_010)
  expect(seenAt(scroller, element, 1_010)).toBe(VIEWPORT)
  expect(scroller.window.get()).toMatchObject({ visible: 980, last: 1_010, following: true, added: 0 })
})

test('scrolling up stays there, counts what comes, and the end brings it back', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(1_000)
  element.scroll(-200)
  const before = seenAt(scroller, element, 980)
  scroller.setCount(1_050)
  expect(seenAt(scroller, element, 980)).toBe(before)
  expect(scroller.window.get()).toMatchObject({ following: false, added: 50 })
  element.scroll(10_000)
  expect(scroller.window.get()).toMatchObject({ following: true, added: 0 })
  scroller.pause()
  scroller.setCount(1_051)
  expect(scroller.window.get().added).toBe(1)
  scroller.follow()
  expect(scroller.window.get()).toMatchObject({ following: true, added: 0, last: 1_051 })
})

test('a million rows are reached by the scrollbar and by the wheel', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(1_000_000)
  const height = Number.parseFloat(element.firstElementChild.style.height)
  expect(height).toBe(8_000_000)
  element.scrollTop = 0
  element.scroll((height - VIEWPORT) / 2)
  const { visible } = scroller.window.get()
  expect(Math.abs(visible - 500_000)).toBeLessThan(20)
  for (let turn = 0; turn < 10; turn += 1) element.scroll(100)
  expect(scroller.window.get().visible).toBe(visible + 50)
  scroller.showStart()
  expect([scroller.window.get().visible, element.scrollTop]).toEqual([0, 0])
  scroller.follow()
  expect(seenAt(scroller, element, 1_000_000)).toBeCloseTo(VIEWPORT, 6)
})

test('few rows are on the page, wherever one is', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(1_000_000)
  element.scroll(-3_000_000)
  const { first, last } = scroller.window.get()
  expect(last - first).toBeLessThan(VIEWPORT / ROW + 45)
})

test('a list can begin at a row, and show another', () => {
  const scroller = new ListScroller(ROW, 400)
  const element = attach(scroller)
  scroller.setCount(0)
  scroller.setCount(1_000)
  expect(seenAt(scroller, element, 400)).toBe(290)
  expect(scroller.window.get().following).toBe(false)
  scroller.reveal(402)
  expect(seenAt(scroller, element, 400)).toBe(290)
  scroller.reveal(700)
  expect(seenAt(scroller, element, 700)).toBe(290)
})

test('what is seen stays while rows above it turn out to be higher', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(1_000)
  element.scroll(-5_000)
  const { visible, first, last } = scroller.window.get()
  const before = seenAt(scroller, element, visible)
  const heightOf = (row: number) => (row % 3 === 0 ? 60 : ROW)
  scroller.measure(
    Array.from({ length: last - first }, (_, index) => [first + index, heightOf(first + index)] as const),
  )
  expect(seenAt(scroller, element, visible, heightOf)).toBe(before)
  // As high as the others again, when they are drawn in another way.
  scroller.restyled()
  expect(seenAt(scroller, element, visible)).toBe(before)
})

test('a row that is shown stays in the middle while those around it are measured', () => {
  const scroller = new ListScroller(ROW, 500)
  const element = attach(scroller)
  scroller.setCount(1_000)
  const heightOf = () => 100
  for (let turn = 0; turn < 3; turn += 1) {
    const { first, last } = scroller.window.get()
    scroller.measure(Array.from({ length: last - first }, (_, index) => [first + index, 100] as const))
  }
  expect(seenAt(scroller, element, 500, heightOf)).toBe(290)
})

test('wrapped rows are wrapped anew in another width', () => {
  const scroller = new ListScroller(ROW, null)
  const element = attach(scroller)
  scroller.setCount(100)
  scroller.measure([[99, 400]])
  expect(element.firstElementChild.style.height).toBe('2380px')
  element.clientWidth = 400
  resized()
  expect(element.firstElementChild.style.height).toBe('2000px')
  expect(seenAt(scroller, element, 100)).toBe(VIEWPORT)
})
