import { expect, test } from 'vitest'
import { timeToLiveLabel, timeToLiveText } from '~/features/artifacts/time-to-live'
import { formatDate } from '~/lib/format-time'

test('a version is kept for ever, until a day, or as long as an alias holds it', () => {
  const text = (ttl_seconds: number | null, aliases: string[]) =>
    timeToLiveText({ ttl_seconds, aliases, created_at: 1_000_000_000 })
  expect(text(null, [])).toBe('for ever')
  expect(text(86_400 * 30, ['latest'])).toBe(`until ${formatDate(1_002_592_000)}, for 30 days in all`)
  expect(text(86_400, ['best'])).toBe('as long as best points at it')
  expect(text(86_400, ['latest', 'a', 'b'])).toBe('as long as a, b point at it')
})

test('times to live are said in days where they are some', () => {
  expect([0, 86_400, 86_400 * 7, 5_400].map(timeToLiveLabel)).toEqual([
    'for ever',
    'for a day',
    'for 7 days',
    'for 1h 30m',
  ])
})
