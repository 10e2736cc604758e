import type { MetricKey } from '~/api/types'
import { keyLabel } from '~/lib/key-label'
import { type Unit, unitLabel, unitNamed } from '~/lib/units'

/** One line of a chart of what a machine was busy with. */
export interface SystemMember {
  key: string
  /** What tells it from the others of its chart. */
  name: string
}

/** What a machine was busy with: a chart over time, of one key or of several of a kind. */
export interface SystemChart {
  kind: 'system'
  /** Unique among the charts. */
  key: string
  title: string
  unit: Unit
  members: SystemMember[]
}

/** What `_system/LABEL/gpu.0.memory.bytes` says. */
interface SystemKey {
  key: string
  /** Which process measured it, when several do. */
  label: string | null
  gpu: number | null
  /** `['gpu', 'memory']`. */
  quantity: string[]
  /** Of what: of the process only, or in which direction; `null` for all there is. */
  part: string | null
  unit: Unit
}

const NAMES: Record<string, string> = { cpu: 'CPU', gpu: 'GPU' }
/** Quantities that are two directions of one. */
const DIRECTIONS: readonly string[] = ['read', 'written', 'received', 'sent']
/** In which order people look at them. */
const ORDER = ['cpu', 'memory', 'gpu', 'disk', 'network', 'process']

export function parseSystemKey(key: string): SystemKey {
  const path = keyLabel(key.slice(key.indexOf('/') + 1))
  const cut = path.lastIndexOf('/')
  const words = path.slice(cut + 1).split('.')
  const unit = words.length > 1 ? unitNamed(words[words.length - 1]) : null
  if (unit !== null) words.pop()
  const isGpu = words[0] === 'gpu' && /^\d+$/.test(words[1] ?? '')
  const gpu = isGpu ? Number(words.splice(1, 1)[0]) : null
  const last = words[words.length - 1]
  const isPart = words.length > 1 && (last === 'process' || DIRECTIONS.includes(last))
  if (isPart) words.pop()
  return {
    key,
    label: cut < 0 ? null : path.slice(0, cut),
    gpu,
    quantity: words,
    part: isPart ? last : null,
    unit: unit ?? 'none',
  }
}

/** Charts of what was measured, in the order in which people look at them; with `together`, those of a kind are one. */
export function systemCharts(keys: readonly MetricKey[], together: boolean): SystemChart[] {
  const groups = new Map<string, SystemKey[]>()
  for (const key of keys.map((metric) => parseSystemKey(metric.key))) {
    const name = together ? groupOf(key) : key.key
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [key])
    else group.push(key)
  }
  return [...groups]
    .map(([name, group]) => ({ name, group: group.sort(compareKeys) }))
    .sort((a, b) => compareKeys(a.group[0], b.group[0]))
    .map(({ name, group }) => chartOf(name, group))
}

function groupOf({ quantity, unit, part, gpu }: SystemKey): string {
  // Several GPUs and of each what the process has would be too many lines.
  return ['_system', ...quantity, ...(gpu !== null && part !== null ? [part] : []), unit].join('.')
}

function chartOf(name: string, group: SystemKey[]): SystemChart {
  const [first] = group
  const one = group.length === 1
  const isTraffic = group.some(({ part }) => part !== null && DIRECTIONS.includes(part))
  const gpu = one && first.gpu !== null ? ` ${first.gpu}` : ''
  const [head, ...rest] = first.quantity
  const words = [`${NAMES[head] ?? head}${gpu}`, ...rest]
  if (isTraffic) words.push(one ? (first.part ?? '') : 'traffic')
  const of =
    !isTraffic && first.part !== null && group.every(({ part }) => part === first.part) ? ' of the process' : ''
  const where = one && first.label !== null ? ` · ${first.label}` : ''
  const title = `${words.join(' ').replaceAll('_', ' ')}${of}${where}`
  return {
    kind: 'system',
    key: name,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    unit: first.unit,
    members: group.map((key) => ({ key: key.key, name: memberName(key, group) })),
  }
}

function memberName({ label, gpu, part }: SystemKey, group: readonly SystemKey[]): string {
  const differs = <T>(of: (key: SystemKey) => T) => new Set(group.map(of)).size > 1
  const names = [
    differs((key) => key.label) ? (label ?? 'first process') : null,
    gpu !== null && differs((key) => key.gpu) ? `GPU ${gpu}` : null,
    differs((key) => key.part) ? (part ?? 'total') : null,
  ]
  return names.filter((name) => name !== null).join(' · ')
}

/** What a chart is called among all: its title and its unit. */
export function systemChartName({ title, unit }: Pick<SystemChart, 'title' | 'unit'>): string {
  const label = unitLabel(unit)
  return label === null ? title : `${title} (${label})`
}

const collator = new Intl.Collator('en', { numeric: true })

function compareKeys(a: SystemKey, b: SystemKey): number {
  const rank = ({ quantity }: SystemKey) => {
    const place = ORDER.indexOf(quantity[0])
    return place < 0 ? ORDER.length : place
  }
  return (
    rank(a) - rank(b) ||
    collator.compare(a.quantity.join(' '), b.quantity.join(' ')) ||
    // A share says more at a glance than an amount.
    Number(b.unit === 'percent') - Number(a.unit === 'percent') ||
    collator.compare(a.unit, b.unit) ||
    collator.compare(a.label ?? '', b.label ?? '') ||
    (a.gpu ?? 0) - (b.gpu ?? 0) ||
    collator.compare(a.part ?? '', b.part ?? '')
  )
}
