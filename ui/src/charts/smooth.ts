/** How many steps of the average a chart's whole width stands for, however many points there are. */
const STEPS_OVER_RANGE = 1_000

/**
 * Debiased exponential moving average whose memory is measured along x, not in points: a run with twice as many points,
 * or a bucket width that doubles while a run grows, looks the same. `weight` is 0 (none) to under 1; `xSpan` is the width
 * of the whole chart. Points that are not finite are left out of the average and stay as they are.
 */
export function smooth(x: Float64Array, y: Float64Array, weight: number, xSpan: number): Float64Array {
  const out = new Float64Array(y.length)
  // The root spreads the slider: without it everything of interest happens between 0.95 and 1.
  const base = Math.min(Math.sqrt(Math.max(0, weight)), 0.9999)
  let average = 0
  let total = 0
  let previousX = Number.NaN
  for (let index = 0; index < y.length; index += 1) {
    const value = y[index]
    if (!Number.isFinite(value)) {
      out[index] = value
      continue
    }
    const distance = Number.isNaN(previousX) || xSpan <= 0 ? 1 : ((x[index] - previousX) / xSpan) * STEPS_OVER_RANGE
    const decay = base === 0 ? 0 : base ** distance
    average = average * decay + value
    total = total * decay + 1
    out[index] = average / total
    previousX = x[index]
  }
  return out
}
