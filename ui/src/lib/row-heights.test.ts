import { expect, test } from 'vitest'
import { RowHeights } from '~/lib/row-heights'

test('rows that nobody measured are all as high', () => {
  const heights = new RowHeights(20)
  expect([heights.offsetOf(0), heights.offsetOf(1_000_000), heights.size]).toEqual([0, 20_000_000, 0])
  expect([0, 19, 20, 19_999_999].map((offset) => heights.rowAt(offset))).toEqual([0, 0, 1, 999_999])
})

test('higher rows push those below them', () => {
  const heights = new RowHeights(20)
  expect([heights.set(2, 60), heights.set(5, 40), heights.set(5, 40), heights.set(1, 20)]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect([0, 1, 2, 3, 5, 6, 10].map((row) => heights.offsetOf(row))).toEqual([0, 20, 40, 100, 140, 180, 260])
  expect([39, 40, 99, 100, 139, 140, 179, 180, 259].map((offset) => heights.rowAt(offset))).toEqual([
    1, 2, 2, 3, 4, 5, 5, 6, 9,
  ])
  heights.set(2, 20)
  expect([heights.offsetOf(10), heights.size]).toEqual([220, 1])
})

test('rows and places agree, whatever was measured', () => {
  const heights = new RowHeights(20)
  for (let row = 0; row < 400; row += 7) heights.set(row, 20 + (row % 5) * 20)
  for (let row = 0; row < 500; row += 1) {
    expect(heights.rowAt(heights.offsetOf(row))).toBe(row)
    expect(heights.rowAt(heights.offsetOf(row + 1) - 1)).toBe(row)
  }
})

test('what is far away can be forgotten', () => {
  const heights = new RowHeights(20)
  for (const row of [1, 50, 99]) heights.set(row, 40)
  heights.keep(40, 60)
  expect([heights.size, heights.offsetOf(100)]).toEqual([1, 2_020])
  heights.clear()
  expect(heights.offsetOf(100)).toBe(2_000)
})
