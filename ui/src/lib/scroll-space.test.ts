import { expect, test } from 'vitest'
import {
  contentTop,
  correctedTop,
  elementHeight,
  elementTop,
  lastTop,
  MAX_HEIGHT,
  scrolledTo,
} from '~/lib/scroll-space'

const small = { content: 20_000, viewport: 600 }
/** A million rows of twenty pixels. */
const large = { content: 20_000_000, viewport: 600 }

test('what fits is scrolled as it is', () => {
  expect([elementHeight(small), lastTop(small)]).toEqual([20_000, 19_400])
  expect([0, 1, 12_345, 19_400].map((top) => elementTop(small, top))).toEqual([0, 1, 12_345, 19_400])
  expect([0, 12_345, 99_999].map((top) => contentTop(small, top))).toEqual([0, 12_345, 19_400])
  expect(lastTop({ content: 100, viewport: 600 })).toBe(0)
})

test('a million rows fit into an element that browsers can make, both ends to the pixel', () => {
  expect(elementHeight(large)).toBe(MAX_HEIGHT)
  expect([0, 7, 50_000].map((top) => elementTop(large, top))).toEqual([0, 7, 50_000])
  const last = lastTop(large)
  expect([elementTop(large, last), elementTop(large, last - 7)]).toEqual([MAX_HEIGHT - 600, MAX_HEIGHT - 607])
  expect(contentTop(large, MAX_HEIGHT / 2 - 300)).toBe(last / 2)
})

test('where the scrollbar is dragged and where it stands are inverses', () => {
  for (let top = 0; top <= lastTop(large); top += 333_333) {
    expect(contentTop(large, elementTop(large, top))).toBeCloseTo(top, 4)
  }
})

test('the wheel moves by pixels anywhere, a drag by its share', () => {
  expect(scrolledTo(large, 10_000_000, 4_000_000, 4_000_100)).toBe(10_000_100)
  expect(scrolledTo(large, 10_000_000, 4_000_000, 3_999_900)).toBe(9_999_900)
  expect(scrolledTo(large, 10_000_000, 4_000_000, 4_003_000)).toBe(10_003_000)
  expect(scrolledTo(large, 10_000_000, 4_000_000, 4_010_000)).toBe(contentTop(large, 4_010_000))
  expect(scrolledTo(small, 10, 10, 0)).toBe(0)
})

test('the scrollbar is put right before one is stuck at its end, and when it drifted', () => {
  expect(correctedTop(large, 10_000_000, elementTop(large, 10_000_000))).toBeNull()
  expect(correctedTop(large, 10_000_000, elementTop(large, 10_000_000) + 20_000)).toBeNull()
  expect(correctedTop(large, 10_000_000, elementTop(large, 10_000_000) + 30_000)).toBe(elementTop(large, 10_000_000))
  expect(correctedTop(large, 60, 0)).toBe(60)
  expect(correctedTop(large, lastTop(large) - 40, MAX_HEIGHT - 600)).toBe(MAX_HEIGHT - 640)
  expect(correctedTop(large, 0, 30)).toBe(0)
  expect(correctedTop(small, 0, 0)).toBeNull()
})

test('wheeling through a whole large list, up and down, comes to both ends', () => {
  let [content, element] = [lastTop(large), MAX_HEIGHT - 600]
  for (let turn = 0; content > 0; turn += 1) {
    expect(turn).toBeLessThan(20_000)
    const after = Math.max(0, element - 1_500)
    content = scrolledTo(large, content, element, after)
    element = correctedTop(large, content, after) ?? after
  }
  expect([content, element]).toEqual([0, 0])
})
