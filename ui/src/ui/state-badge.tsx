import type { RunState } from '~/api/types'
import styles from './state-badge.module.css'

const LABELS: Record<RunState, string> = {
  running: 'Running',
  finished: 'Finished',
  failed: 'Failed',
  crashed: 'Crashed',
}

export function StateBadge({ state }: { state: RunState }) {
  return (
    <span className={styles.badge} data-state={state}>
      <span className={styles.dot} />
      {LABELS[state]}
    </span>
  )
}

/** The state as a mark alone, for rows with little room: differs in shape as well as in colour. */
export function StateMark({ state }: { state: RunState }) {
  return (
    <span className={styles.mark} data-state={state} role="img" aria-label={LABELS[state]} title={LABELS[state]}>
      {state === 'running' && <span className={styles.dot} />}
      {state === 'failed' && '✕'}
      {state === 'crashed' && '!'}
      {state === 'finished' && '✓'}
    </span>
  )
}
