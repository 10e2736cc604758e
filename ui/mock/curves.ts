import { hashText, randomSource } from './random.ts'

/** The points of one key of one run: rising steps, their times, and values as they were logged. */
export interface Curve {
  steps: Float64Array
  values: Float64Array
}

/** A curve as training would make it, chosen by what the key is called. Grows to `length` steps. */
export function makeCurve(run: string, key: string, length: number, lr: number): Curve {
  const random = randomSource(hashText(`${run} ${key}`))
  const noise = () => random() + random() + random() - 1.5
  const every = key.startsWith('val/') ? 50 : key.startsWith('_system/') ? 25 : 1
  const count = Math.floor(length / every)
  const steps = new Float64Array(count)
  const values = new Float64Array(count)
  const speed = 0.6 + random() * 1.2
  const floor = 0.15 + random() * 0.4 + Math.abs(Math.log10(lr) + 3) * 0.12
  let wander = 0
  for (let row = 0; row < count; row += 1) {
    const step = row * every
    const progress = step / 2_000
    wander = wander * 0.98 + noise() * 0.02
    steps[row] = step
    values[row] = valueAt(key, progress * speed, floor, noise(), wander, step)
    const draw = random()
    if (key.endsWith('grad_norm') && draw < 0.0012) values[row] *= 40
    if (key === 'train/loss' && draw < 0.0006) values[row] *= 4
    if (key === 'train/loss_scale' && draw < 0.004) values[row] = draw < 0.002 ? Number.POSITIVE_INFINITY : Number.NaN
  }
  return { steps, values }
}

function valueAt(key: string, progress: number, floor: number, noise: number, wander: number, step: number): number {
  const decay = Math.exp(-progress * 3)
  const name = key.slice(key.lastIndexOf('/') + 1)
  if (name.includes('accuracy'))
    return Math.min(0.995, Math.max(0, 1 - floor - 0.6 * decay + noise * 0.012 + wander * 0.3))
  if (name === 'lr' || name === 'learning_rate') {
    return step < 200 ? (step / 200) * 1e-3 : 1e-3 * 0.5 * (1 + Math.cos(Math.min(1, progress / 2) * Math.PI))
  }
  if (name === 'grad_norm') return 0.4 + 2.2 * decay + Math.abs(noise) * 0.5
  if (name === 'perplexity') return Math.exp(floor + 2.4 * decay + noise * 0.06)
  if (name === 'epoch') return Math.floor(step / 400)
  if (name === 'throughput') return 12_400 + noise * 420 + wander * 3_000
  if (key.startsWith('_system/')) return systemValueAt(name, noise, wander)
  if (name === 'loss_scale') return 2 ** (10 + Math.floor(progress * 3))
  return floor + 2.4 * decay + noise * 0.11 * (0.4 + decay) + wander * 0.5
}

function systemValueAt(name: string, noise: number, wander: number): number {
  const share = (middle: number) => Math.max(0, Math.min(100, middle + noise * 5 + wander * 60))
  if (name.endsWith('percent')) return share(name.startsWith('gpu') ? 92 : name.includes('process') ? 24 : 41)
  if (name.endsWith('bytes_per_second')) return Math.abs(38e6 + noise * 2e7 + wander * 2e8)
  if (name.endsWith('bytes')) return (name.includes('process') ? 12e9 : 61e9) + wander * 2e10
  if (name.endsWith('celsius')) return 61 + noise + wander * 20
  if (name.endsWith('watts')) return 610 + noise * 30 + wander * 200
  if (name.endsWith('megahertz')) return 1_950 + Math.round(noise) * 15
  return 42 + Math.round(noise * 3)
}
