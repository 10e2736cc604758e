import type { JsonValue } from '~/api/types'

/** What the search box says to the server. */
export interface RunQuery {
  filter: string | null
  search: string | null
}

const FIELD =
  /^(?:id|name|state|group|job_type|tags|notes|created_at|updated_at|duration|last_step|row_count|(?:config|summary)\.[\w./-]+|`[^`]+`)$/
const COMPARISON = /^([\w./-]+|`[^`]+`)\s*(=|!=|<=|>=|<|>|~|in\s*\()/

/**
 * Tells a filter expression from plain text. An expression begins with a known field and an operator, after any `not` and
 * opening parentheses; everything else is looked for as text. Half-written filters (`config.lr`) count as text, so the
 * list does not jump to an error while somebody types.
 */
export function parseRunQuery(text: string): RunQuery {
  const trimmed = text.trim()
  if (trimmed === '') return { filter: null, search: null }
  const start = trimmed.replace(/^(?:(?:not\b|\()\s*)+/i, '')
  const match = COMPARISON.exec(start)
  if (match !== null && FIELD.test(match[1])) return { filter: trimmed, search: null }
  return { filter: null, search: trimmed }
}

/** A field as an expression says it: in backticks when it has unusual characters. */
export function quoteField(field: string): string {
  return /^[\w./-]+$/.test(field) ? field : `\`${field}\``
}

/** A value as an expression says it. */
export function quoteValue(value: JsonValue): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/** Both must hold. */
export function andFilter(first: string | null, second: string): string {
  return first === null ? second : `(${first}) and ${second}`
}

export function idsFilter(ids: readonly string[]): string {
  return `id in (${ids.map(quoteValue).join(', ')})`
}
