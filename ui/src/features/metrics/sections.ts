import type { MetricKey } from '~/api/types'
import type { SystemChart } from '~/features/metrics/system-charts'
import { keyLabel } from '~/lib/key-label'

/** What one chart shows. */
export type GridChart = MetricKey | SystemChart

/** Charts whose keys begin with the same word. */
export interface Section {
  /** Unique, and what the address calls it. */
  id: string
  name: string
  keys: GridChart[]
}

/** The section of keys without a prefix. */
export const PLAIN_SECTION = 'Charts'
/** How training goes is looked at first … */
const FIRST_SECTIONS = ['train', 'training', 'val', 'valid', 'validation', 'eval', 'test']
/** … what the client measures of its machine last … */
const LAST_SECTIONS = ['system', 'sys']
/** … and what only counts or repeats a plan not before anything that was measured. */
const COUNTERS = /^(?:_.*|(?:global_?)?(?:step|epoch|iter|iteration|batch)s?|lr|learning_?rate|time)$/i

/** `train/loss` belongs to the section `train`. */
export function sectionName(key: string): string {
  const cut = key.indexOf('/')
  return cut > 0 ? keyLabel(key.slice(0, cut)) : PLAIN_SECTION
}

/** The name of a chart within its section. */
export function chartTitle(key: string): string {
  const cut = key.indexOf('/')
  return keyLabel(cut > 0 ? key.slice(cut + 1) : key)
}

/**
 * Keys in sections: those without a prefix first, then training and validation, then the others by name, those without a
 * chart behind them, system metrics last.
 */
export function groupIntoSections(keys: readonly MetricKey[]): Section[] {
  const sections = new Map<string, MetricKey[]>()
  for (const key of keys) {
    const name = sectionName(key.key)
    const list = sections.get(name)
    if (list === undefined) sections.set(name, [key])
    else list.push(key)
  }
  return [...sections]
    .map(([name, list]) => ({ id: name, name, keys: list.sort((a, b) => compareNaturally(a.key, b.key)) }))
    .sort((a, b) => order(a) - order(b) || compareNaturally(a.name, b.name))
}

/** No prefix of a key has a slash in it. */
export const HIDDEN_SECTION = '/hidden'

export const SYSTEM_SECTION = '/system'

/**
 * The sections of what is shown, behind them what machines were busy with, and last what scripts want hidden unless
 * somebody opens it.
 */
export function sectionsOf(keys: readonly MetricKey[], system: readonly SystemChart[]): Section[] {
  const hidden = keys.filter((key) => key.hidden).sort((a, b) => compareNaturally(a.key, b.key))
  const sections = groupIntoSections(keys.filter((key) => !key.hidden))
  if (system.length > 0) sections.push({ id: SYSTEM_SECTION, name: 'System', keys: [...system] })
  if (hidden.length > 0) sections.push({ id: HIDDEN_SECTION, name: 'Hidden', keys: hidden })
  return sections
}

/** How many grid columns a line with `count` charts is cut into, where the widest has `columns`: half-full lines are filled. */
export function columnsOfLine(count: number, columns: number): number {
  return count * 2 >= columns ? count : columns
}

function order({ name, keys }: Section): number {
  const others = FIRST_SECTIONS.length + 1
  if (name === PLAIN_SECTION) return keys.every(({ key }) => COUNTERS.test(key)) ? others + 1 : 0
  if (LAST_SECTIONS.includes(name)) return others + 3
  if (keys.every(({ kind }) => kind === 'other')) return others + 2
  const first = FIRST_SECTIONS.indexOf(name)
  return first < 0 ? others : first + 1
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
      return (key) => pattern.test(keyLabel(key))
    } catch {
      return null
    }
  }
  const words = text.toLowerCase().split(/\s+/)
  return (key) => {
    const lower = keyLabel(key).toLowerCase()
    return words.every((word) => lower.includes(word))
  }
}

/** A section's heading, over as many columns as its charts take in this line. */
export interface Heading {
  section: Section
  open: boolean
  span: number
}

/** One line of the grid: headings, or as many charts as stand side by side. */
export type GridRow = { kind: 'headings'; headings: Heading[]; count: number } | { kind: 'charts'; keys: GridChart[] }

/**
 * The lines of the grid. Small sections that fit into one line stand side by side; the charts of a larger one are spread
 * evenly over its lines, so that none of these ends in a hole.
 */
export function gridRows(sections: readonly Section[], closed: readonly string[], columns: number): GridRow[] {
  const rows: GridRow[] = []
  const shut = new Set(closed)
  for (const together of packSections(sections, shut, columns)) {
    const open = !shut.has(together[0].id)
    const alone = together.length === 1
    const keys = together.flatMap((section) => section.keys)
    rows.push({
      kind: 'headings',
      headings: together.map((section) => ({ section, open, span: alone ? columns : section.keys.length })),
      count: alone ? columns : keys.length,
    })
    if (!open) continue
    const lines = Math.ceil(keys.length / columns)
    const [least, longer] = [Math.floor(keys.length / lines), keys.length % lines]
    for (let line = 0, start = 0; line < lines; line += 1) {
      const count = line < longer ? least + 1 : least
      rows.push({ kind: 'charts', keys: keys.slice(start, start + count) })
      start += count
    }
  }
  return rows
}

/** Neighbouring open sections with no more charts together than columns form one group. */
function packSections(sections: readonly Section[], shut: ReadonlySet<string>, columns: number): Section[][] {
  const groups: Section[][] = []
  let room = 0
  for (const section of sections) {
    const open = !shut.has(section.id)
    if (open && section.keys.length <= room) {
      groups.at(-1)?.push(section)
      room -= section.keys.length
    } else {
      groups.push([section])
      room = open ? columns - section.keys.length : 0
    }
  }
  return groups
}
