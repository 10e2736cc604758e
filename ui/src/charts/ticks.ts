/** Mantissas of ticks on a log axis, from few to many. */
const MANTISSAS: readonly (readonly number[])[] = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]
/** With fewer ticks than this nobody can tell that an axis is logarithmic. */
const LEAST = 3

/**
 * Where a log axis from `min` to `max` (both above 0) has its ticks, at most about `most` of them: powers of ten, more within
 * each decade where there are few decades, round numbers where there is not even one, and every so many powers of ten where
 * there are too many.
 */
export function logTicks(min: number, max: number, most: number): number[] {
  const first = Math.floor(Math.log10(min) + 1e-9)
  const last = Math.ceil(Math.log10(max) - 1e-9)
  const room = Math.max(LEAST, Math.floor(most))
  const inside = (mantissas: readonly number[], stride: number) => {
    const ticks: number[] = []
    for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) {
      for (const mantissa of mantissas) {
        // Read from text: 10 ** -5 is not exactly 1e-5.
        const tick = Number(`${mantissa}e${exponent}`)
        if (tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9)) ticks.push(tick)
      }
    }
    return ticks
  }
  const decades = inside([1], 1)
  if (decades.length > room) return inside([1], Math.ceil(decades.length / room))
  const fitting = MANTISSAS.map((mantissas) => inside(mantissas, 1)).filter((ticks) => ticks.length <= room)
  const best = fitting.at(-1) ?? decades
  return best.length >= LEAST ? best : evenTicks(min, max, room)
}

/** Round numbers at equal distances within `min` and `max`, at most `most`. */
function evenTicks(min: number, max: number, most: number): number[] {
  const power = Math.floor(Math.log10((max - min) / most))
  const step = [1, 2, 5, 10].map((factor) => factor * 10 ** power).find((each) => (max - min) / each <= most)
  if (step === undefined) return [min, max]
  const ticks: number[] = []
  for (let index = Math.ceil(min / step); index * step <= max; index += 1) {
    ticks.push(Number((index * step).toPrecision(12)))
  }
  return ticks
}
