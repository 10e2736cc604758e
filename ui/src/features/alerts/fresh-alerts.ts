import type { RunAlert } from '~/api/types'

/** A journal that is sent later tells of what happened long ago: that is worth a mark, but no interruption. */
const FRESH_SECONDS = 600

/** The highest id of the alerts, `null` for none: a later alert has a higher one. */
export function newestId(alerts: readonly RunAlert[]): number | null {
  return alerts.reduce<number | null>((newest, { id }) => (newest === null || id > newest ? id : newest), null)
}

/** How many of the alerts came after the one with id `seen`. */
export function countUnread(alerts: readonly RunAlert[], seen: number): number {
  return alerts.filter(({ id }) => id > seen).length
}

/** The alerts worth interrupting for, oldest first: those that came after the one with id `known`, and tell of just now. */
export function freshAlerts(alerts: readonly RunAlert[], known: number, now: number): RunAlert[] {
  const fresh = alerts.filter(({ id, time, repeated }) => id > known && !repeated && time > now - FRESH_SECONDS)
  return fresh.sort((a, b) => a.id - b.id)
}
