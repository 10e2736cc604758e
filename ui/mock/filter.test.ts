import { expect, test } from 'vitest'
import { FilterError, parseFilter } from './filter'

const run: Record<string, number | string | string[] | null> = {
  'config.lr': 0.01,
  state: 'running',
  tags: ['a', 'old'],
  group: null,
}
const matches = (filter: string) => parseFilter(filter)((field) => run[field])

test('expressions are understood', () => {
  expect(matches('config.lr >= 0.001 and state = "running"')).toBe(true)
  expect(matches('not tags = "old" or group = null')).toBe(true)
  expect(matches('state in ("failed", "crashed")')).toBe(false)
  expect(matches('missing != 3')).toBe(false)
})

test('half an expression is refused', () => {
  expect(() => parseFilter('config.lr >')).toThrow(FilterError)
  expect(() => parseFilter('config.lr = oops')).toThrow('oops is neither a number nor a quoted text')
})
