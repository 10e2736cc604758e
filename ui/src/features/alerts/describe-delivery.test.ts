import { expect, test } from 'vitest'
import type { AlertDelivery } from '~/api/types'
import { describeDelivery } from '~/features/alerts/describe-delivery'

const at = (clock: string) => new Date(`2026-03-02T${clock}:00`).getTime() / 1000
const now = at('12:00')
const delivery = (change: Partial<AlertDelivery>): AlertDelivery => ({
  id: 1,
  channel: 1,
  channel_name: 'team',
  kind: 'slack',
  state: 'waiting',
  attempts: 0,
  next_attempt_at: now,
  last_attempt_at: null,
  delivered_at: null,
  error: null,
  ...change,
})
const text = (change: Partial<AlertDelivery>) => describeDelivery(delivery(change), now)

test('what was sent says when, and what waits says when it is tried again', () => {
  expect(text({ state: 'sent', attempts: 2, delivered_at: at('11:58') }).text).toBe('11:58')
  expect(text({ state: 'sent', attempts: 1, delivered_at: at('11:58') - 86_400 }).text).toBe('Mar 1, 11:58')
  expect(text({}).text).toBe('waiting')
  expect(text({ state: 'sending', attempts: 1, next_attempt_at: null }).text).toBe('sending')
  const later = text({ attempts: 2, next_attempt_at: at('12:05'), error: 'it refuses connections' })
  expect(later).toEqual({ text: 'try 3 at 12:05', detail: 'it refuses connections', open: false, again: false })
  expect(text({ attempts: 2, next_attempt_at: now - 1 }).text).toBe('try 3 now')
})

test('only what nobody will send by itself can be sent again', () => {
  const error = 'the receiver answered 404 Not Found'
  expect(text({ state: 'failed', error })).toEqual({ text: 'failed', detail: error, open: true, again: true })
  expect(text({ state: 'unknown' })).toEqual({ text: 'may have arrived', detail: null, open: true, again: true })
  expect(text({ state: 'skipped' }).again).toBe(true)
  const states = ['waiting', 'sending', 'sent'] as const
  expect(states.map((state) => text({ state }).again)).toEqual([false, false, false])
})
