import type { Artifact } from '~/api/types'
import { formatDate, formatDuration } from '~/lib/format-time'

const DAY = 86_400
/** What one can choose from, seconds; 0: for ever. */
export const TIMES_TO_LIVE: readonly number[] = [0, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY]

export function timeToLiveLabel(seconds: number): string {
  if (seconds === 0) return 'for ever'
  if (seconds % DAY !== 0) return `for ${formatDuration(seconds)}`
  return seconds === DAY ? 'for a day' : `for ${seconds / DAY} days`
}

/** Until when a version is kept, and what holds it for longer. */
export function timeToLiveText(artifact: Pick<Artifact, 'ttl_seconds' | 'created_at' | 'aliases'>): string {
  const { ttl_seconds: seconds, created_at: created, aliases } = artifact
  if (seconds === null) return 'for ever'
  const holding = aliases.filter((alias) => alias !== 'latest')
  if (holding.length > 0) return `as long as ${holding.join(', ')} ${holding.length === 1 ? 'points' : 'point'} at it`
  return `until ${formatDate(created + seconds)}, ${timeToLiveLabel(seconds)} in all`
}
