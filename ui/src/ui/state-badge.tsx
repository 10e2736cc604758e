import { Unplug } from 'lucide-react'
import type { Run, RunState } from '~/api/types'
import styles from './state-badge.module.css'

/** A state as it is shown: a run whose machine is taken away did not just end. */
export type ShownState = RunState | 'preempting' | 'preempted'

const LABELS: Record<ShownState, string> = {
  running: 'Running',
  finished: 'Finished',
  failed: 'Failed',
  crashed: 'Crashed',
  preempting: 'Preempting',
  preempted: 'Preempted',
}

/** Whoever said that it is being preempted and then reached its end all the same has finished. */
export function shownState({ state, preempting }: Pick<Run, 'state' | 'preempting'>): ShownState {
  if (!preempting || state === 'finished') return state
  return state === 'running' ? 'preempting' : 'preempted'
}

export function StateBadge({ run }: { run: Pick<Run, 'state' | 'preempting'> }) {
  const state = shownState(run)
  return (
    <span className={styles.badge} data-state={state}>
      {state === 'preempted' || state === 'preempting' ? <Unplug size={12} /> : <span className={styles.dot} />}
      {LABELS[state]}
    </span>
  )
}

/** The state as a mark alone, for rows with little room: differs in shape as well as in colour. */
export function StateMark({ run }: { run: Pick<Run, 'state' | 'preempting'> }) {
  const state = shownState(run)
  return (
    <span className={styles.mark} data-state={state} role="img" aria-label={LABELS[state]} title={LABELS[state]}>
      {state === 'running' && <span className={styles.dot} />}
      {state === 'failed' && '✕'}
      {state === 'crashed' && '!'}
      {state === 'finished' && '✓'}
      {(state === 'preempted' || state === 'preempting') && <Unplug size={12} />}
    </span>
  )
}
