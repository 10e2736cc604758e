import { expect, test } from 'vitest'
import type { Metric } from '~/api/types'
import { aggregatesOf, definitionOf } from '~/features/run/metric-definitions'

const metric = (name: string, summary: string[] | null): Metric => ({
  name,
  step_metric: null,
  step_sync: false,
  hidden: false,
  summary,
})
const METRICS = [
  metric('*', ['last']),
  metric('val/*', ['max', 'min']),
  metric('val/loss', ['copy']),
  metric('n', null),
]

test('the own definition of a metric wins, then the longest beginning', () => {
  const names = ['val/loss', 'val/accuracy', 'loss', 'n']
  expect(names.map((name) => definitionOf(METRICS, name)?.name)).toEqual(['val/loss', 'val/*', '*', 'n'])
  expect(definitionOf([], 'loss')).toBeUndefined()
})

test('aggregates come in the order in which they are read', () => {
  expect(aggregatesOf(METRICS, 'val/accuracy')).toEqual(['min', 'max'])
  expect(aggregatesOf(METRICS, 'val/loss')).toEqual([])
  expect(aggregatesOf(METRICS, 'n')).toEqual([])
})
