import type { Artifact } from '~/api/types'
import { formatValue } from '~/lib/format-number'

/** So many keys have room. */
const MAX_COLUMNS = 2

type Versions = readonly Pick<Artifact, 'metadata'>[]

/** The keys of metadata by which versions are best told apart: single values that differ, numbers first. */
export function metadataColumns(versions: Versions): string[] {
  const found = new Map<string, { values: Set<unknown>; count: number; isNumber: boolean }>()
  for (const { metadata } of versions) {
    for (const [key, value] of Object.entries(metadata)) {
      if (!isSingle(value)) continue
      const known = found.get(key) ?? { values: new Set(), count: 0, isNumber: true }
      known.values.add(value)
      known.count += 1
      known.isNumber &&= typeof value === 'number'
      found.set(key, known)
    }
  }
  const differing = [...found].filter(([, { values, count }]) => values.size > 1 || count < versions.length)
  // Sorting keeps the order in which they were said among equals.
  differing.sort(([, a], [, b]) => Number(b.isNumber) - Number(a.isNumber))
  return differing.slice(0, MAX_COLUMNS).map(([key]) => key)
}

/** A value as a cell shows it; nothing for what is no single value. */
export function metadataCell(value: unknown): string {
  if (typeof value === 'number') return formatValue(value)
  return isSingle(value) ? String(value) : ''
}

function isSingle(value: unknown): value is number | string | boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
}
