import { connection } from '~/lib/connection'
import { useStore } from '~/lib/store'
import styles from './connection-banner.module.css'

/** Says that the server is gone while what is shown stays, and for a moment that it is back. */
export function ConnectionBanner() {
  const state = useStore(connection.store)
  return (
    <div role="status" aria-live="polite">
      {state !== 'online' && (
        <div className={styles.banner} data-state={state}>
          {state === 'lost' ? 'Server unreachable, retrying…' : 'Back online'}
        </div>
      )}
    </div>
  )
}
