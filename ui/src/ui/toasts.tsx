import { useStore } from '~/lib/store'
import { toastStore } from '~/ui/toast-store'
import styles from './toasts.module.css'

export function Toasts() {
  const toasts = useStore(toastStore)
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {toasts.map(({ id, text, kind }) => (
        <div key={id} className={styles.toast} data-kind={kind}>
          {text}
        </div>
      ))}
    </div>
  )
}
