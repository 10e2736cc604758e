import type { JsonValue } from '~/api/types'

/** What a table shows: names of columns, and rows of values. */
export interface TableData {
  columns: string[]
  rows: JsonValue[][]
  /** Whether the file has more rows than these. */
  cut: boolean
}

/** A picture, sound or film that a cell names by its path. */
export interface MediaCell {
  kind: 'image' | 'audio' | 'video'
  path: string
  caption: string | null
}

export class NotATable extends Error {
  override name = 'NotATable'
}

/** The table of a `.table.json` file: `{"columns": […], "data": [[…], …]}`. What is odd in it is shown as it is. */
export function readTable(text: string): TableData {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new NotATable('the file is no JSON, or not all of it')
  }
  const { columns, data } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (!Array.isArray(columns) || !Array.isArray(data)) throw new NotATable('the file has no columns and data')
  const rows = data.map((row): JsonValue[] => (Array.isArray(row) ? row : [row as JsonValue]))
  const width = rows.reduce((most, row) => Math.max(most, row.length), columns.length)
  const names = columns.map((name) => (typeof name === 'string' ? name : JSON.stringify(name)))
  return { columns: padded(names, width), rows, cut: false }
}

/** Rows of a delimited file under the names of the first one; `cut` when the last row may be a part of one. */
export function delimitedTable(rows: readonly string[][], cut: boolean): TableData {
  const whole = cut ? rows.slice(0, -1) : rows
  // A line break at the end makes a row of one empty cell.
  const body = whole.filter((row, index) => index === 0 || row.length > 1 || row[0] !== '')
  const [names = [], ...values] = body
  const width = values.reduce((most, row) => Math.max(most, row.length), names.length)
  return { columns: padded(names, width), rows: values.map((row) => row.map(toCell)), cut }
}

function padded(names: readonly string[], width: number): string[] {
  return Array.from({ length: width }, (_, index) => names[index] ?? `column ${index + 1}`)
}

/** A text that is a number as one, so that it sorts and aligns as one. */
function toCell(text: string): JsonValue {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) && text.length < 16 ? Number(text) : text
}

const MEDIA_KINDS: Record<string, MediaCell['kind']> = {
  'image-file': 'image',
  'audio-file': 'audio',
  'video-file': 'video',
}

export function mediaCell(value: JsonValue | undefined): MediaCell | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { _type: type, path, caption } = value
  const kind = typeof type === 'string' && Object.hasOwn(MEDIA_KINDS, type) ? MEDIA_KINDS[type] : undefined
  if (kind === undefined || typeof path !== 'string') return null
  return { kind, path, caption: typeof caption === 'string' ? caption : null }
}

export function cellText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Where the rows stand once they are sorted by a column: numbers by size before texts, nothing last. */
export function sortedRows(rows: readonly JsonValue[][], column: number, descending: boolean): number[] {
  const sign = descending ? -1 : 1
  return Array.from({ length: rows.length }, (_, index) => index).sort((a, b) => {
    const [left, right] = [rows[a][column], rows[b][column]]
    const order = rank(left) - rank(right)
    if (order !== 0 || rank(left) === NOTHING) return order
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
    return sign * COLLATOR.compare(cellText(left), cellText(right))
  })
}

const NOTHING = 2
const COLLATOR = new Intl.Collator(undefined, { numeric: true })

function rank(value: JsonValue | undefined): number {
  if (value === undefined || value === null || value === '') return NOTHING
  return typeof value === 'number' ? 0 : 1
}
