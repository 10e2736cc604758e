import { expect, test } from 'vitest'
import type { RunAlert } from '~/api/types'
import type { RunLook } from '~/charts/line'
import { marksOf } from '~/features/metrics/use-marks'

const look = (createdAt: number, forkStep: number | null): RunLook => ({ name: '', color: '', createdAt, forkStep })
const alert = (run: string, time: number): RunAlert => ({
  id: time,
  time,
  level: 'WARN',
  title: 'slow',
  text: '',
  repeated: false,
  run,
  run_name: `run ${run}`,
  deliveries: [],
})

test('alerts stand at their time, or at their distance from where their run began', () => {
  const looks = new Map([
    ['a/p/1', look(100, null)],
    ['a/p/2', look(150, 7)],
  ])
  const alerts = [alert('1', 170), alert('2', 180), alert('elsewhere', 190)]
  const marks = (xKind: 'wall_time' | 'relative_time') =>
    marksOf(alerts, { project: 'a/p', looks }, xKind).map(({ x, kind, label }) => [x, kind, label])
  expect(marks('wall_time')).toEqual([
    [170, 'warning', 'run 1: slow'],
    [180, 'warning', 'run 2: slow'],
  ])
  expect(marks('relative_time')).toEqual([[70, 'warning', 'run 1: slow']])
})
