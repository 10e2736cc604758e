import { expect, test } from 'vitest'
import type { Run } from '~/api/types'
import { fieldLabel, findDifferences, isUnusual, runDuration } from '~/features/runs/run-values'

const runsOf = (...values: Run['values'][]): Run[] => values.map((each) => ({ values: each }) as Run)

test('a cell stands out where most runs have another value, not where all differ', () => {
  const runs = runsOf({ lr: 0.1, seed: 1, same: 1 }, { lr: 0.1, seed: 2, same: 1 }, { lr: 0.2, seed: 3, same: 1 })
  const differences = findDifferences(runs, ['lr', 'seed', 'same', 'absent'])
  expect([...differences]).toEqual([
    ['lr', '0.1'],
    ['seed', null],
  ])
  expect(runs.map((run) => isUnusual(run, 'lr', differences))).toEqual([false, false, true])
  expect(runs.map((run) => isUnusual(run, 'seed', differences))).toEqual([false, false, false])
})

test('a field is labelled as it was written', () => {
  expect(['config.lr', 'summary.layer\\.0/w', 'last_step'].map(fieldLabel)).toEqual(['lr', 'layer.0/w', 'Last step'])
})

test('a running run is as old as the clock says, but never younger than its records', () => {
  const run = { state: 'running', created_at: 100, duration: 3 } as Run
  expect([runDuration(run, 99), runDuration(run, 110), runDuration({ ...run, state: 'finished' }, 110)]).toEqual([
    3, 10, 3,
  ])
})
