import { expect, test } from 'vitest'
import { formatAge, formatDuration, formatRelative } from '~/lib/format-time'

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
