import type { JsonObject, JsonValue, Metric } from '~/api/types'
import { readHistogram } from '~/charts/histogram'
import { compareNaturally } from '~/features/metrics/sections'
import { type Aggregate, aggregatesOf } from '~/features/run/metric-definitions'
import { formatValue, toNumber } from '~/lib/format-number'

/** One line of a tree of values. */
export interface ValueRow {
  /** Names from the root, unique in the tree. */
  path: string
  name: string
  depth: number
  /** A branch has children instead of a value. */
  branch: boolean
  value: JsonValue
  size: number
  /** What stands side by side in one line: the aggregates of a metric, by name. */
  aggregates: Partial<Record<Aggregate, JsonValue>> | null
}

/** The aggregates of a metric when it has nothing but those, as its definition says. */
function aggregatesIn(path: string, value: JsonObject, metrics: readonly Metric[]): ValueRow['aggregates'] {
  const names: readonly string[] = aggregatesOf(metrics, path)
  return names.length > 0 && Object.keys(value).every((name) => names.includes(name)) ? value : null
}

/** A histogram is one thing, as a number is. */
function isBranch(value: JsonValue): value is JsonObject {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  return isObject && readHistogram(value) === null
}

/** The lines of a nested object: what `search` does not find and what stands in a closed branch is left out. */
export function valueRows(
  values: JsonObject,
  search: string,
  closed: ReadonlySet<string>,
  metrics: readonly Metric[] = [],
): ValueRow[] {
  const wanted = search.trim().toLowerCase()
  const rows: ValueRow[] = []
  const visit = (object: JsonObject, depth: number, parent: string, found: boolean) => {
    for (const name of Object.keys(object).sort(compareNaturally)) {
      const value = object[name]
      const path = parent === '' ? name : `${parent}.${name}`
      const here = found || path.toLowerCase().includes(wanted)
      const aggregates = isBranch(value) ? aggregatesIn(path, value, metrics) : null
      if (aggregates !== null) {
        if (here) rows.push({ path, name, depth, branch: false, value, size: 0, aggregates })
      } else if (isBranch(value)) {
        const at = rows.length
        rows.push({ path, name, depth, branch: true, value, size: Object.keys(value).length, aggregates: null })
        // A search opens what it finds.
        if (wanted !== '' || !closed.has(path)) visit(value, depth + 1, path, here)
        if (wanted !== '' && !here && rows.length === at + 1) rows.pop()
      } else if (here || String(valueText(value)).toLowerCase().includes(wanted)) {
        rows.push({ path, name, depth, branch: false, value, size: 0, aggregates: null })
      }
    }
  }
  visit(values, 0, '', wanted === '')
  return rows
}

/** A value in full, as it is copied. */
export function valueText(value: JsonValue): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}

/** Digits of a fraction that are worth reading; the rest is in the tooltip and in what is copied. */
const SHOWN_DIGITS = 7

/** A value as it is shown: fractions without the digits that only rounding put there. */
export function shownText(value: JsonValue, digits = SHOWN_DIGITS): string {
  return typeof value === 'number' && !Number.isInteger(value) ? formatValue(value, digits) : valueText(value)
}

export function valueKind(value: JsonValue): 'number' | 'text' | 'other' {
  if (toNumber(value) !== null) return 'number'
  return typeof value === 'string' ? 'text' : 'other'
}
