import { expect, test } from 'vitest'
import { logTicks } from '~/charts/ticks'

test('a log axis has round ticks, however wide its range', () => {
  expect(logTicks(1, 1000, 6)).toEqual([1, 10, 100, 1000])
  expect(logTicks(1, 1000, 8)).toEqual([1, 3, 10, 30, 100, 300, 1000])
  expect(logTicks(0.05, 3, 6)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2])
  expect(logTicks(1e-7, 0.3, 5)).toEqual([1e-6, 1e-4, 1e-2])
  expect(logTicks(1, 9, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('where there is no power of ten the ticks stand at equal distances', () => {
  expect(logTicks(2.1, 2.9, 5)).toEqual([2.2, 2.4, 2.6, 2.8])
  expect(logTicks(1040, 1100, 4)).toEqual([1040, 1060, 1080, 1100])
})
