import type { JsonObject } from '../src/api/types.ts'
import { hashText, randomSource } from './random.ts'

const BINS = 64
const NUMBERS = 20_000

/** How gradients or parameters spread: gradients get narrower, parameters wider, with training. */
export function histogramAt(key: string, step: number): JsonObject {
  const random = randomSource(hashText(`${key} ${step}`))
  const progress = step / 2_000
  const width = key.startsWith('gradients') ? 0.02 + 0.3 * Math.exp(-2 * progress) : 0.1 + 0.25 * Math.min(1, progress)
  const middle = key.startsWith('gradients') ? 0 : 0.04 * progress
  const reach = width * (3 + random())
  const edges = Array.from({ length: BINS + 1 }, (_, bin) => middle + reach * ((2 * bin) / BINS - 1))
  const values = Array.from({ length: BINS }, (_, bin) => {
    const place = ((edges[bin] + edges[bin + 1]) / 2 - middle) / width
    return Math.round(((NUMBERS * reach) / (BINS * width)) * Math.exp(-(place ** 2) / 2) * (0.85 + random() * 0.3))
  })
  return { _type: 'histogram', values, bins: edges }
}
