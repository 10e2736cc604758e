import type { AlertDelivery } from '~/api/types'
import { formatClock } from '~/lib/format-time'

export interface DeliveryText {
  /** What stands beside the channel's name. */
  text: string
  /** More of it: why it failed, or since when. */
  detail: string | null
  /** Whether `detail` is worth a line of its own. */
  open: boolean
  /** Whether a person can have it sent again. */
  again: boolean
}

/** Says in few words what became of an alert at a channel. */
export function describeDelivery(delivery: AlertDelivery, now: number): DeliveryText {
  const { state, attempts, error } = delivery
  const closed = { detail: error, open: false, again: false }
  switch (state) {
    case 'sent':
      return { ...closed, text: delivery.delivered_at === null ? 'sent' : formatClock(delivery.delivered_at, now) }
    case 'sending':
      return { ...closed, text: 'sending', detail: null }
    case 'waiting':
      if (attempts === 0) return { ...closed, text: 'waiting' }
      return {
        ...closed,
        text:
          delivery.next_attempt_at === null || delivery.next_attempt_at <= now
            ? `try ${attempts + 1} now`
            : `try ${attempts + 1} at ${formatClock(delivery.next_attempt_at, now)}`,
      }
    case 'failed':
      return { text: 'failed', detail: error, open: true, again: true }
    case 'unknown':
      return { text: 'may have arrived', detail: error, open: true, again: true }
    case 'skipped':
      return { text: 'not sent', detail: error, open: true, again: true }
  }
}
