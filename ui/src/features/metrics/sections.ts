import type { MetricKey } from '~/api/types'

/** Charts whose keys begin with the same word. */
export interface Section {
  name: string
  keys: MetricKey[]
}

/** The section of keys without a prefix. */
export const PLAIN_SECTION = 'Charts'
/** What the client measures of its machine comes last: it is looked at least. */
const LAST_SECTIONS = ['system', 'sys']

/** `train/loss` belongs to the section `train`. */
export function sectionName(key: string): string {
  const cut = key.indexOf('/')
  return cut > 0 ? key.slice(0, cut) : PLAIN_SECTION
}

/** The name of a chart within its section. */
export function chartTitle(key: string): string {
  const cut = key.indexOf('/')
  return cut > 0 ? key.slice(cut + 1) : key
}

/** Keys in sections: those without a prefix first, then by name, then those without a chart, system metrics last. */
export function groupIntoSections(keys: readonly MetricKey[]): Section[] {
  const sections = new Map<string, MetricKey[]>()
  for (const key of keys) {
    const name = sectionName(key.key)
    const list = sections.get(name)
    if (list === undefined) sections.set(name, [key])
    else list.push(key)
  }
  return [...sections]
    .map(([name, list]) => ({ name, keys: list.sort((a, b) => compareNaturally(a.key, b.key)) }))
    .sort((a, b) => order(a) - order(b) || compareNaturally(a.name, b.name))
}

function order({ name, keys }: Section): number {
  if (name === PLAIN_SECTION) return 0
  if (LAST_SECTIONS.includes(name)) return 3
  return keys.every(({ kind }) => kind === 'other') ? 2 : 1
}

const collator = new Intl.Collator('en', { numeric: true })

/** `layer.2` before `layer.10`. */
export function compareNaturally(a: string, b: string): number {
  return collator.compare(a, b)
}

/** Tells which keys a chart search finds; the text is a regular expression when it is one, `null` when it is a broken one. */
export function keyMatcher(search: string): ((key: string) => boolean) | null {
  const text = search.trim()
  if (text === '') return () => true
  if (/[\\^$*+?()[\]{}|]/.test(text)) {
    try {
      const pattern = new RegExp(text, 'i')
      return (key) => pattern.test(key)
    } catch {
      return null
    }
  }
  const words = text.toLowerCase().split(/\s+/)
  return (key) => {
    const lower = key.toLowerCase()
    return words.every((word) => lower.includes(word))
  }
}

/** One line of the grid: a section's heading, or as many charts as stand side by side. */
export type GridRow =
  | { kind: 'heading'; section: Section; open: boolean }
  | { kind: 'charts'; section: string; keys: MetricKey[] }

export function gridRows(sections: readonly Section[], closed: readonly string[], columns: number): GridRow[] {
  const rows: GridRow[] = []
  const shut = new Set(closed)
  for (const section of sections) {
    const open = !shut.has(section.name)
    rows.push({ kind: 'heading', section, open })
    if (!open) continue
    for (let start = 0; start < section.keys.length; start += columns) {
      rows.push({ kind: 'charts', section: section.name, keys: section.keys.slice(start, start + columns) })
    }
  }
  return rows
}
