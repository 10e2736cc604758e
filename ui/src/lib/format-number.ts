/** Numbers as people read them: significant digits for values, SI suffixes for counts and steps. */

const MINUS = '\u2212'

/** The number that JSON carries, with the three words it uses for what it cannot say. */
export function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  return null
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function superscriptFree(text: string): string {
  const [mantissa, exponent] = text.split('e')
  return `${trimZeros(mantissa)}e${Number(exponent)}`
}

/** A metric's value with `digits` significant digits: `0.3421`, `12 345`, `1.2e-7`. */
export function formatValue(value: number, digits = 5): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '∞'
  if (value === Number.NEGATIVE_INFINITY) return `${MINUS}∞`
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  const sign = value < 0 ? MINUS : ''
  if (magnitude >= 1e7 || magnitude < 1e-4) return sign + superscriptFree(magnitude.toExponential(digits - 1))
  if (Number.isInteger(magnitude)) return sign + groupDigits(magnitude)
  if (magnitude >= 10 ** digits) return sign + groupDigits(Math.round(magnitude))
  return sign + trimZeros(magnitude.toPrecision(digits))
}

/** Thin spaces between thousands, from 10 000 on. */
function groupDigits(value: number): string {
  const text = String(value)
  return value < 10_000 ? text : text.replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

const SI_SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P']

/** A count or step in little room: `950`, `12.5k`, `1.5M`. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return formatValue(value)
  const sign = value < 0 ? MINUS : ''
  let scaled = Math.abs(value)
  let power = 0
  while (scaled >= 999.5 && power < SI_SUFFIXES.length - 1) {
    scaled /= 1000
    power += 1
  }
  const text = power === 0 ? trimZeros(scaled.toPrecision(4)) : trimZeros(scaled.toPrecision(3))
  return sign + text + SI_SUFFIXES[power]
}

/** A whole number in full, thousands set apart. */
export function formatInteger(value: number): string {
  return (value < 0 ? MINUS : '') + groupDigits(Math.abs(Math.round(value)))
}

/** Labels of an axis: as many decimals as the distance between ticks needs, the same for all of them. */
export function formatTicks(values: readonly number[]): string[] {
  if (values.length === 0) return []
  const largest = Math.max(...values.map(Math.abs))
  const gap = values.length > 1 ? Math.abs(values[1] - values[0]) : largest
  if ((gap > 0 && gap < 1e-5) || largest >= 1e15) {
    return values.map((value) => (value === 0 ? '0' : formatValue(value, 3)))
  }
  const power = largest >= 1e4 ? Math.floor(Math.log10(largest * (1 + 1e-12)) / 3) : 0
  const scale = 1000 ** power
  const decimals = decimalsOf(gap / scale)
  return values.map((value) => {
    const text = (value / scale).toFixed(decimals).replace('-', MINUS)
    return value === 0 ? '0' : text + SI_SUFFIXES[power]
  })
}

/** How many decimals it takes to write a distance between ticks in full. */
function decimalsOf(gap: number): number {
  for (let decimals = 0; decimals < 9; decimals += 1) {
    const scaled = gap * 10 ** decimals
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, scaled)) return decimals
  }
  return 9
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function formatBytes(bytes: number): string {
  let scaled = bytes
  let unit = 0
  while (scaled >= 1024 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024
    unit += 1
  }
  // Three digits, and all four just below the next unit.
  const digits = scaled >= 999.5 ? String(Math.round(scaled)) : scaled.toPrecision(3)
  return `${trimZeros(unit === 0 ? String(scaled) : digits)} ${BYTE_UNITS[unit]}`
}

/** `1 run`, `12 runs`. */
export function plural(count: number, noun: string): string {
  return `${formatInteger(count)} ${noun}${count === 1 ? '' : 's'}`
}
