import { expect, test } from 'vitest'
import { showOnly, showTop, toggleRun, toggleRuns } from '~/features/runs/visibility'

const start = { top: 20, show: ['a'], hide: ['b'] }

test('hiding and showing a run is remembered as an exception', () => {
  expect(toggleRun(start, 'a', true)).toEqual({ top: 20, show: [], hide: ['b', 'a'] })
  expect(toggleRun(start, 'b', false)).toEqual({ top: 20, show: ['a', 'b'], hide: [] })
})

test('sets of runs', () => {
  expect(toggleRuns(start, ['b', 'c'], true)).toEqual({ top: 20, show: ['a', 'b', 'c'], hide: [] })
  expect(toggleRuns(start, ['a'], false)).toEqual({ top: 20, show: [], hide: ['b', 'a'] })
  expect(showOnly(['x'])).toEqual({ top: 0, show: ['x'], hide: [] })
  expect(showTop(9_999)).toEqual({ top: 500, show: [], hide: [] })
})
