import { expect, test } from 'vitest'
import { shownState } from '~/ui/state-badge'

test('a run that is taken off its machine is preempted, unless it reached its end', () => {
  const states = ['running', 'finished', 'failed', 'crashed'] as const
  const shown = (preempting: boolean) => states.map((state) => shownState({ state, preempting }))
  expect(shown(true)).toEqual(['preempting', 'finished', 'preempted', 'preempted'])
  expect(shown(false)).toEqual(['running', 'finished', 'failed', 'crashed'])
})
