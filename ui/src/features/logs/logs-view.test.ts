import { expect, test } from 'vitest'
import { DEFAULT_LOGS_VIEW, decodeLogsView, encodeLogsView, type LogsView } from '~/features/logs/logs-view'

test('the address says only what is not as usual', () => {
  expect(encodeLogsView(DEFAULT_LOGS_VIEW)).toEqual({})
  expect(decodeLogsView({})).toEqual(DEFAULT_LOGS_VIEW)
})

test('the address holds all of a view', () => {
  const view: LogsView = {
    stream: 'aa01',
    output: 'stderr',
    search: 'loss=.*nan',
    regex: true,
    caseSensitive: true,
    onlyFound: true,
    time: 'relative',
    wrap: true,
    lines: [122, 129],
  }
  expect(encodeLogsView(view)).toEqual({
    stream: 'aa01',
    output: 'stderr',
    find: 'loss=.*nan',
    regex: '1',
    case: '1',
    only: '1',
    time: 'relative',
    wrap: '1',
    line: '123-130',
  })
  expect(decodeLogsView(encodeLogsView(view))).toEqual(view)
})

test('a line is one, or some in either order; anything else is none', () => {
  const lines = (line: string) => decodeLogsView({ line }).lines
  expect(['1', '123', '9-3', '4-4'].map(lines)).toEqual([
    [0, 0],
    [122, 122],
    [2, 8],
    [3, 3],
  ])
  expect(['', '0', '-1', '1.5', 'x', '1-', '1-2-3', '9'.repeat(40)].map(lines)).toEqual(Array(8).fill(null))
  expect(decodeLogsView({ output: 'both', time: 'never' })).toEqual(DEFAULT_LOGS_VIEW)
})
