import type { JsonObject, JsonValue, Metric, Run, RunDetail, Stream } from '../src/api/types.ts'
import { definitionOf } from '../src/features/run/metric-definitions.ts'
import { type Curve, makeCurve } from './curves.ts'
import { hashText, randomSource } from './random.ts'

export interface MockRun {
  run: Run
  config: JsonObject
  environment: JsonObject
  keys: string[]
  /** Steps so far; grows while the run is going on. */
  length: number
  streams: Stream[]
  metrics: Metric[]
}

const UNSAID = { step_metric: null, step_sync: false, hidden: false, summary: null }
/** What the scripts of the demo say about their metrics. */
const METRICS: Metric[] = [
  { ...UNSAID, name: 'val/*', step_metric: 'epoch', step_sync: true, summary: ['min', 'last'] },
  { ...UNSAID, name: 'train/loss', summary: ['min', 'max', 'mean', 'last'] },
  { ...UNSAID, name: 'train/loss_scale', hidden: true },
  { ...UNSAID, name: 'epoch', hidden: true },
]

export const ENTITY = 'ada'
export const SECONDS_OF_STEP = 0.4

const KEYS = [
  'epoch',
  'learning_rate',
  'train/loss',
  'train/accuracy',
  'train/grad_norm',
  'train/loss_scale',
  'train/throughput',
  'val/loss',
  'val/accuracy',
  'val/perplexity',
  'system/gpu.0.utilisation',
  'system/gpu.1.utilisation',
  'system/memory_bytes',
]
export const TEXT_KEY = 'samples/completion'
const SAMPLES = [
  'The cat sat on the warm windowsill and',
  'In 1969 the first message sent between',
  'def fibonacci(n):\n    return n if n < 2',
]
const ADJECTIVES = [
  'brave',
  'calm',
  'eager',
  'gentle',
  'lucid',
  'merry',
  'noble',
  'quiet',
  'rapid',
  'sunny',
  'vivid',
  'witty',
]
const NOUNS = [
  'otter',
  'falcon',
  'cedar',
  'comet',
  'ember',
  'glacier',
  'harbor',
  'lantern',
  'meadow',
  'nebula',
  'quartz',
  'willow',
]

export const NOTES = `# Why this run

Baseline with **cosine decay**, where $\\eta_t = \\frac{\\eta_0}{2}\\left(1 + \\cos\\frac{t\\pi}{T}\\right)$.

- compare with \`brave-otter-2\`
- loss: $$\\mathcal{L} = -\\sum_i y_i \\log \\hat y_i$$

<script>alert('never')</script> see https://example.org
`

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)]
}

interface ProjectPlan {
  name: string
  runs: number
  running: number
  length: number
  keys?: string[]
  /** Whether it has a fork, a resumed, a shared and a preempted run, and defines its metrics. */
  varied?: boolean
}

const PLANS: ProjectPlan[] = [
  { name: 'demo', runs: 5, running: 1, length: 3_000, varied: true },
  { name: 'sweep-300', runs: 300, running: 4, length: 2_000 },
  { name: 'archive-2000', runs: 2_000, running: 0, length: 400 },
  {
    name: 'wide',
    runs: 2,
    running: 0,
    length: 500,
    keys: Array.from({ length: 20_000 }, (_, index) => `layer.${Math.floor(index / 20)}/weight.${index % 20}/norm`),
  },
]

export class MockData {
  readonly runs = new Map<string, MockRun[]>()
  private curves = new Map<string, Curve>()

  constructor(now: number, plans: readonly ProjectPlan[] = PLANS) {
    for (const plan of plans) {
      this.runs.set(
        plan.name,
        Array.from({ length: plan.runs }, (_, index) => makeRun(plan, index, now)),
      )
      if (plan.varied) this.vary(plan.name)
    }
  }

  private vary(project: string): void {
    const [, fork, resumed, shared, preempted] = this.runs.get(project) ?? []
    ;[fork.streams, resumed.streams] = [resumed.streams, fork.streams]
    fork.run = { ...fork.run, fork_from: { run: resumed.run.id, step: Math.floor(resumed.length * 0.6) } }
    fork.length = Math.max(fork.length, Math.floor(resumed.length * 0.95))
    const [stream] = shared.streams
    shared.streams = [0, 1, 2, 3].map((rank) => ({
      ...stream,
      id: hashText(`rank ${rank}`).toString(16).padStart(32, 'b'),
      label: `rank-${rank}`,
      host: `gpu-${Math.floor(rank / 2) + 1}.cluster`,
      process_id: 41_200 + rank,
    }))
    preempted.run = { ...preempted.run, state: 'crashed', exit_code: null, preempting: true }
    for (const mock of this.runs.get(project) ?? []) mock.metrics = METRICS
  }

  /** When a row was logged, Unix seconds: a fork goes on from the rows of another run later. */
  timeOf({ run }: MockRun, step: number): number {
    const parent = run.fork_from === null ? undefined : this.find(run.project, run.fork_from.run)
    const from = run.fork_from?.step ?? 0
    if (parent !== undefined && step <= from) return this.timeOf(parent, step)
    return run.created_at + (step - (parent === undefined ? 0 : from)) * SECONDS_OF_STEP
  }

  curve(run: MockRun, key: string): Curve {
    const name = `${run.run.project}/${run.run.id}/${key}/${run.length}`
    const known = this.curves.get(name)
    if (known !== undefined) return known
    // A map forgets nothing by itself, and live runs make a new curve with each row.
    if (this.curves.size > 8_000) this.curves.clear()
    const curve = this.makeCurve(run, key)
    this.curves.set(name, curve)
    return curve
  }

  private makeCurve({ run, length, config }: MockRun, key: string): Curve {
    const own = makeCurve(run.id, key, length, Number(config.lr))
    const fork = run.fork_from
    const parent = fork === null ? undefined : this.find(run.project, fork.run)
    if (fork === null || parent === undefined) return own
    const begin = this.curve(parent, key)
    const values = own.values.map((value, row) => (own.steps[row] <= fork.step ? begin.values[row] : value))
    return { steps: own.steps, values }
  }

  find(project: string, id: string): MockRun | undefined {
    return this.runs.get(project)?.find(({ run }) => run.id === id)
  }

  /** Adds rows to what is running; answers which runs grew. */
  grow(project: string, rows: number, now: number): MockRun[] {
    const live = (this.runs.get(project) ?? []).filter(({ run }) => run.state === 'running')
    for (const mock of live) {
      mock.length += rows
      mock.run = {
        ...mock.run,
        last_step: mock.length - 1,
        row_count: mock.length,
        updated_at: now,
        duration: now - mock.run.created_at,
      }
    }
    return live
  }

  value(mock: MockRun, field: string): JsonValue | undefined {
    if (field.startsWith('config.')) return lookUp(mock.config, field.slice('config.'.length))
    if (field.startsWith('summary.')) return this.summaryValue(mock, field.slice('summary.'.length))
    return (mock.run as unknown as JsonObject)[field]
  }

  summaryValue(mock: MockRun, key: string): JsonValue | undefined {
    if (key === TEXT_KEY)
      return mock.keys.includes(TEXT_KEY) ? `${pick(SAMPLES, randomSource(hashText(mock.run.id)))}…` : undefined
    if (!mock.keys.includes(key)) return undefined
    const { values } = this.curve(mock, key)
    const last = values[values.length - 1]
    if (Number.isNaN(last)) return 'NaN'
    return Number.isFinite(last) ? last : last > 0 ? 'Infinity' : '-Infinity'
  }

  detail(mock: MockRun): RunDetail {
    const summary: JsonObject = {}
    for (const key of mock.keys) summary[key] = this.summaryOf(mock, key)
    return {
      run: mock.run,
      config: mock.config,
      summary,
      environment: mock.environment,
      streams: mock.streams,
      metrics: mock.metrics,
      alert_count: 0,
      console_line_count: 0,
      forks: (this.runs.get(mock.run.project) ?? [])
        .filter(({ run }) => run.fork_from?.run === mock.run.id)
        .map(({ run }) => run.id),
    }
  }

  private summaryOf(mock: MockRun, key: string): JsonValue {
    const aggregates = definitionOf(mock.metrics, key)?.summary
    if (!aggregates) return this.summaryValue(mock, key) ?? null
    const values = this.curve(mock, key).values.filter(Number.isFinite)
    const all: JsonObject = {
      min: values.reduce((a, b) => Math.min(a, b)),
      max: values.reduce((a, b) => Math.max(a, b)),
      mean: values.reduce((a, b) => a + b) / values.length,
      last: values[values.length - 1],
    }
    return Object.fromEntries(aggregates.map((name) => [name, all[name]]))
  }
}

function lookUp(object: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = object
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = value[part]
  }
  return value
}

/** `config` as `path → value`, as the answer of `config.*` lists it. */
export function flatten(object: JsonObject, prefix: string): [string, JsonValue][] {
  return Object.entries(object).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value, `${prefix}.${name}`)
      : [[`${prefix}.${name}`, value] as [string, JsonValue]],
  )
}

function makeRun(plan: ProjectPlan, index: number, now: number): MockRun {
  const id = hashText(`${plan.name} ${index}`).toString(36).padStart(7, '0').slice(0, 8)
  const random = randomSource(hashText(id))
  const running = index < plan.running
  const length = running
    ? Math.floor(plan.length * (0.4 + random() * 0.3))
    : Math.floor(plan.length * (0.7 + random() * 0.3))
  const duration = length * SECONDS_OF_STEP
  const created = running ? now - duration : now - 3_600 * (index + 1) * 1.7 - duration
  const state = running ? 'running' : random() < 0.06 ? 'failed' : random() < 0.04 ? 'crashed' : 'finished'
  const ended = running ? null : created + duration
  const keys = plan.keys ?? [...KEYS, TEXT_KEY]
  const run: Run = {
    entity: ENTITY,
    project: plan.name,
    id,
    name: `${pick(ADJECTIVES, random)}-${pick(NOUNS, random)}-${plan.runs - index}`,
    state,
    tags: random() < 0.3 ? ['baseline'] : random() < 0.2 ? ['ablation', 'bf16'] : [],
    notes: index < 2 ? NOTES : null,
    group: pick(['sgd', 'adamw', 'lion', null], random),
    job_type: pick(['train', 'eval'], random),
    created_at: created,
    updated_at: ended ?? now,
    finished_at: ended,
    duration,
    exit_code: running || state === 'crashed' ? null : state === 'failed' ? 1 : 0,
    last_step: length - 1,
    row_count: length,
    key_count: keys.length,
    preempting: false,
    sweep_id: null,
    fork_from: null,
    values: {},
  }
  const config: JsonObject = {
    lr: pick([1e-4, 3e-4, 1e-3, 3e-3], random),
    batch_size: pick([64, 128, 256], random),
    seed: Math.floor(random() * 1000),
    optimizer: { name: run.group ?? 'adamw', betas: [0.9, 0.999], weight_decay: pick([0, 0.01, 0.1], random) },
    model: { name: 'gpt-small', layers: 12, heads: 12, width: 768, dropout: pick([0, 0.1], random) },
    data: { path: '/data/openwebtext', shuffle: true, workers: 8 },
    amp: true,
  }
  const bytes = Math.floor(length * 180)
  const stream = (number: number, damage: string | null): Stream => ({
    id: hashText(`${id} ${number}`).toString(16).padStart(32, 'a'),
    durable_offset: bytes,
    sealed_offset: running ? Math.floor(bytes * 0.82) : bytes,
    record_count: length + 40,
    started_at: created + number * duration * 0.6,
    updated_at: run.updated_at,
    finished: !running,
    host: `gpu-${number + 1}.cluster`,
    process_id: 41_200 + number,
    label: null,
    parent: null,
    damage,
  })
  return {
    run,
    config,
    keys,
    length,
    metrics: [],
    environment: {
      command: 'python train.py --config configs/small.yaml',
      host: 'gpu-1.cluster',
      python: '3.13.1',
      steplog: '0.1.0',
      os: 'Linux-6.8-x86_64',
      gpu: { name: 'NVIDIA H100', count: 2 },
      git: { commit: '6f1c9b0d', branch: 'main', dirty: true },
    },
    streams:
      index === 1
        ? [stream(0, null), stream(1, 'record 812 at offset 90 113: checksum does not match; 3 records were left out')]
        : [stream(0, null)],
  }
}
