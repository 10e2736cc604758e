import { expect, test } from 'vitest'
import { formatAge, formatDuration, formatElapsed, formatRelative } from '~/lib/format-time'

test('durations have two units at most', () => {
  expect([0, 0.02, 3.25, 42, 60, 250, 7_500, 86_400, 280_800].map(formatDuration)).toEqual([
    '0s',
    '20ms',
    '3.3s',
    '42s',
    '1m',
    '4m 10s',
    '2h 5m',
    '1d',
    '3d 6h',
  ])
})

test('what was just now is said so, and the further back the coarser', () => {
  const now = 1_800_000_000
  expect([3, 45, 300, 7_300, 90_000, 500_000].map((age) => formatRelative(now - age, now))).toEqual([
    'just now',
    '45 s ago',
    '5 min ago',
    '2 h ago',
    'yesterday',
    '5 days ago',
  ])
  expect([5, 300, 7_300, 90_000, 3e6, 4e7].map((age) => formatAge(now - age, now))).toEqual([
    '5s',
    '5m',
    '2h',
    '1d',
    '4w',
    '1y',
  ])
})

test('elapsed time is as wide for all lines of an hour', () => {
  expect([0, 59.9, 250, 3_600, 93_660, -61, -0.4].map(formatElapsed)).toEqual([
    '0:00:00',
    '0:00:59',
    '0:04:10',
    '1:00:00',
    '26:01:00',
    '−0:01:01',
    '0:00:00',
  ])
})
