import type { JsonValue, Run } from '~/api/types'
import { formatInteger, formatValue, toNumber } from '~/lib/format-number'
import { formatDateTime, formatDuration } from '~/lib/format-time'
import { keyLabel } from '~/lib/key-label'

/** Any JSON value in one short line. */
export function formatJson(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '–'
  const number = toNumber(value)
  if (number !== null) return formatValue(number)
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return JSON.stringify(value)
}

/** How long a run has been going on, or went on. A page whose clock is behind the server's never counts below nothing. */
export function runDuration(run: Run, now: number): number {
  return run.state === 'running' ? Math.max(run.duration, now - run.created_at) : run.duration
}

/** What a field of a run says, for a cell of the list. */
export function formatField(run: Run, field: string, now: number): string {
  switch (field) {
    case 'created_at':
      return formatDateTime(run.created_at)
    case 'duration':
      return formatDuration(runDuration(run, now))
    case 'last_step':
      return run.last_step === null ? '–' : formatInteger(run.last_step)
    case 'row_count':
      return formatInteger(run.row_count)
    case 'group':
      return run.group ?? '–'
    case 'job_type':
      return run.job_type ?? '–'
    case 'tags':
      return run.tags.join(', ') || '–'
    case 'id':
      return run.id
    default:
      return formatJson(run.values[field])
  }
}

const LABELS: Record<string, string> = {
  created_at: 'Created',
  duration: 'Duration',
  group: 'Group',
  id: 'Id',
  job_type: 'Job type',
  last_step: 'Last step',
  row_count: 'Rows',
  tags: 'Tags',
}

/** `config.lr` → `lr`, `last_step` → `Last step`. */
export function fieldLabel(field: string): string {
  return LABELS[field] ?? keyLabel(field.replace(/^(config|summary)\./, ''))
}

export function isNumberField(run: Run, field: string): boolean {
  if (['duration', 'last_step', 'row_count'].includes(field)) return true
  return typeof run.values[field] === 'number'
}

/** Fields whose values are not the same in all runs compared, each with the value that more than half of them have, if any. */
export type Differences = ReadonlyMap<string, string | null>

export const NO_DIFFERENCES: Differences = new Map()

function valueIdentity(run: Run, field: string): string {
  return JSON.stringify(run.values[field] ?? null)
}

/** What a comparison is about: the fields that tell the runs apart. */
export function findDifferences(runs: readonly Run[], fields: readonly string[]): Differences {
  const differences = new Map<string, string | null>()
  for (const field of fields) {
    const counts = new Map<string, number>()
    for (const run of runs) {
      const identity = valueIdentity(run, field)
      counts.set(identity, (counts.get(identity) ?? 0) + 1)
    }
    if (counts.size < 2) continue
    const [usual, count] = [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))
    // In a sweep every value is another one: then no cell stands out.
    differences.set(field, count * 2 > runs.length ? usual : null)
  }
  return differences
}

/** Whether a run has another value of the field than more than half of those compared. */
export function isUnusual(run: Run, field: string, differences: Differences): boolean {
  const usual = differences.get(field)
  return usual !== undefined && usual !== null && valueIdentity(run, field) !== usual
}
