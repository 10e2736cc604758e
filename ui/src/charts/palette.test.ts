import { expect, test } from 'vitest'
import { assignSlots, PALETTE_SIZE, preferredSlot } from '~/charts/palette'

const ids = Array.from({ length: PALETTE_SIZE }, (_, index) => `run${index}`)

test('as many runs as colours have one each', () => {
  expect(new Set(assignSlots(ids, {}, new Map()).values()).size).toBe(PALETTE_SIZE)
})

test('a new run recolours no other', () => {
  const before = assignSlots(ids.slice(0, 10), {}, new Map())
  const after = assignSlots([...ids.slice(0, 10), 'newcomer'], {}, before)
  expect([...after].slice(0, 10)).toEqual([...before])
})

test('a chosen colour wins, a lone run has the colour it prefers', () => {
  expect(assignSlots(['a'], { a: 3 }, new Map([['a', 5]]))).toEqual(new Map([['a', 3]]))
  expect(assignSlots(['a'], {}, new Map())).toEqual(new Map([['a', preferredSlot('a')]]))
})

test('few runs have the colours that differ most', () => {
  const slots = [...assignSlots(ids, {}, new Map()).values()]
  expect(slots.slice(0, 4).sort()).toEqual([0, 1, 2, 3])
  expect(slots.slice(4, 8).sort()).toEqual([4, 5, 6, 7])
})
