import { formatTicks, formatValue } from '~/lib/format-number'

/** What a quantity is measured in. */
export type Unit = 'none' | 'percent' | 'bytes' | 'bytes_per_second' | 'celsius' | 'watts' | 'megahertz'

const SUFFIXES: Record<Unit, string> = {
  none: '',
  percent: ' %',
  bytes: '',
  bytes_per_second: '/s',
  celsius: ' °C',
  watts: ' W',
  megahertz: ' MHz',
}
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const DIGITS = 4

/** The unit that a word of a key names; `null` when it names none. */
export function unitNamed(word: string): Unit | null {
  return word !== 'none' && Object.hasOwn(SUFFIXES, word) ? (word as Unit) : null
}

const LABELS: Record<Unit, string | null> = {
  none: null,
  percent: '%',
  bytes: 'bytes',
  bytes_per_second: 'bytes/s',
  celsius: '°C',
  watts: 'W',
  megahertz: 'MHz',
}

/** A unit as a title says it; `null` for none. */
export function unitLabel(unit: Unit): string | null {
  return LABELS[unit]
}

function isBinary(unit: Unit): boolean {
  return unit === 'bytes' || unit === 'bytes_per_second'
}

function binaryPower(value: number): number {
  let power = 0
  for (let rest = Math.abs(value); rest >= 1024 && power < BINARY.length - 1; rest /= 1024) power += 1
  return power
}

/** A value with its unit: `31.4 GiB`, `1.2 MiB/s`, `93 %`. */
export function formatUnit(value: number, unit: Unit): string {
  if (unit === 'none' || !Number.isFinite(value)) return formatValue(value)
  if (!isBinary(unit)) return `${formatValue(value, DIGITS)}${SUFFIXES[unit]}`
  const power = binaryPower(value)
  return `${formatValue(value / 1024 ** power, DIGITS)} ${BINARY[power]}${SUFFIXES[unit]}`
}

/** Labels of an axis, all in one unit: that of the largest. */
export function formatUnitTicks(values: readonly number[], unit: Unit): string[] {
  if (!isBinary(unit)) return formatTicks(values).map((text) => `${text}${SUFFIXES[unit]}`)
  const power = binaryPower(Math.max(0, ...values.map(Math.abs)))
  const texts = formatTicks(values.map((value) => value / 1024 ** power))
  return texts.map((text, index) => (values[index] === 0 ? '0' : `${text} ${BINARY[power]}${SUFFIXES[unit]}`))
}

/** Distances between ticks that read well in a unit; `null` where those of numbers do. */
export function unitIncrements(unit: Unit): number[] | null {
  if (!isBinary(unit)) return null
  return BINARY.flatMap((_, power) => [1, 2, 5, 10, 20, 50, 100, 200, 500].map((step) => step * 1024 ** power))
}

/** The range that a chart of this unit shows at least; `null` when it is about differences. */
export function unitRange(unit: Unit): [min: number, max: number] | null {
  if (unit === 'percent') return [0, 100]
  return unit === 'celsius' ? null : [0, 0]
}
