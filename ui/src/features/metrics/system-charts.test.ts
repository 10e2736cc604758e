import { expect, test } from 'vitest'
import type { MetricKey } from '~/api/types'
import { parseSystemKey, systemCharts } from '~/features/metrics/system-charts'

const metric = (key: string): MetricKey => ({
  key: `_system/${key}`,
  kind: 'number',
  run_count: 1,
  point_count: 1,
  hidden: false,
  step_metric: null,
})
const charts = (keys: string[], together: boolean) =>
  systemCharts(keys.map(metric), together).map(({ title, unit, members }) => [
    title,
    unit,
    members.map(({ key, name }) => `${name} ${key.slice('_system/'.length)}`.trim()).join(', '),
  ])

test('a key says who measured what, and in which unit', () => {
  expect(parseSystemKey('_system/nodes/rank-0/gpu.12.memory.process.bytes')).toEqual({
    key: '_system/nodes/rank-0/gpu.12.memory.process.bytes',
    label: 'nodes/rank-0',
    gpu: 12,
    quantity: ['gpu', 'memory'],
    part: 'process',
    unit: 'bytes',
  })
  expect(parseSystemKey('_system/process.threads')).toMatchObject({ quantity: ['process', 'threads'], unit: 'none' })
  expect(parseSystemKey('_system/percent')).toMatchObject({ quantity: ['percent'], unit: 'none', part: null })
})

const MACHINE = [
  'network.sent.bytes_per_second',
  'network.received.bytes_per_second',
  'disk.percent',
  'gpu.1.percent',
  'gpu.0.percent',
  'gpu.0.memory.bytes',
  'gpu.1.memory.bytes',
  'gpu.0.memory.process.bytes',
  'cpu.process.percent',
  'cpu.percent',
  'memory.bytes',
  'memory.percent',
  'process.threads',
]

test('what is of a kind is one chart of a run', () => {
  expect(charts(MACHINE, true)).toEqual([
    ['CPU', 'percent', 'total cpu.percent, process cpu.process.percent'],
    ['Memory', 'percent', 'memory.percent'],
    ['Memory', 'bytes', 'memory.bytes'],
    ['GPU', 'percent', 'GPU 0 gpu.0.percent, GPU 1 gpu.1.percent'],
    ['GPU memory', 'bytes', 'GPU 0 gpu.0.memory.bytes, GPU 1 gpu.1.memory.bytes'],
    ['GPU 0 memory of the process', 'bytes', 'gpu.0.memory.process.bytes'],
    ['Disk', 'percent', 'disk.percent'],
    [
      'Network traffic',
      'bytes_per_second',
      'received network.received.bytes_per_second, sent network.sent.bytes_per_second',
    ],
    ['Process threads', 'none', 'process.threads'],
  ])
})

test('several processes of a run are lines of one chart', () => {
  expect(charts(['rank-10/cpu.percent', 'rank-9/cpu.percent', 'cpu.percent'], true)).toEqual([
    ['CPU', 'percent', 'first process cpu.percent, rank-9 rank-9/cpu.percent, rank-10 rank-10/cpu.percent'],
  ])
})

test('each is a chart of its own where its lines are runs', () => {
  expect(
    charts(['gpu.1.memory.bytes', 'disk.read.bytes_per_second', 'rank-1/cpu.percent', 'cpu.process.percent'], false),
  ).toEqual([
    ['CPU of the process', 'percent', 'cpu.process.percent'],
    ['CPU · rank-1', 'percent', 'rank-1/cpu.percent'],
    ['GPU 1 memory', 'bytes', 'gpu.1.memory.bytes'],
    ['Disk read', 'bytes_per_second', 'disk.read.bytes_per_second'],
  ])
})
