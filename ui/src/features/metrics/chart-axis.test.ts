import { expect, test } from 'vitest'
import type { MetricKey } from '~/api/types'
import { chartAxis } from '~/features/metrics/chart-axis'

const metric = (step_metric: string | null): MetricKey => ({
  key: 'val/loss',
  kind: 'number',
  run_count: 1,
  point_count: 1,
  hidden: false,
  step_metric,
})

test("a metric's own axis stands in for the step, and for nothing that somebody chose", () => {
  const step = { x: { kind: 'step' as const }, ownAxes: true }
  const own = { x: { kind: 'metric' as const, key: 'n\\.epoch' }, id: 'metric n\\.epoch', label: 'n.epoch', own: true }
  expect(chartAxis(step, metric('n\\.epoch'))).toEqual(own)
  expect(chartAxis(step, metric(null))).toEqual({ x: step.x, id: 'step', label: null, own: false })
  expect(chartAxis({ ...step, ownAxes: false }, metric('epoch'))).toEqual({
    x: step.x,
    id: 'step',
    label: null,
    own: false,
  })
  const time = { kind: 'wall_time' as const }
  expect(chartAxis({ x: time, ownAxes: true }, metric('epoch'))).toEqual({
    x: time,
    id: 'wall_time',
    label: null,
    own: false,
  })
  const batch = { kind: 'metric' as const, key: 'batch' }
  expect(chartAxis({ x: batch, ownAxes: true }, metric('epoch'))).toEqual({
    x: batch,
    id: 'metric batch',
    label: 'batch',
    own: false,
  })
})
