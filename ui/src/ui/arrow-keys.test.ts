import { expect, test } from 'vitest'
import { nextItem } from '~/ui/arrow-keys'

test('arrow keys go round a list, and Home and End to its ends', () => {
  const presses: [key: string, from: number, to: number | null][] = [
    ['ArrowDown', -1, 0],
    ['ArrowDown', 0, 1],
    ['ArrowDown', 2, 0],
    ['ArrowUp', -1, 2],
    ['ArrowUp', 0, 2],
    ['ArrowUp', 2, 1],
    ['Home', 2, 0],
    ['End', 0, 2],
    ['ArrowRight', 0, null],
    ['a', 0, null],
  ]
  for (const [key, from, to] of presses) expect(nextItem(key, from, 3, 'vertical'), key).toBe(to)
  expect(nextItem('ArrowRight', 2, 3, 'horizontal')).toBe(0)
  expect(nextItem('ArrowLeft', 1, 3, 'horizontal')).toBe(0)
  expect(nextItem('ArrowDown', 0, 0, 'vertical')).toBe(null)
})
