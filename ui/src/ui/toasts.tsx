import { X } from 'lucide-react'
import { useStore } from '~/lib/store'
import { IconButton } from '~/ui/button'
import { closeToast, toastStore } from '~/ui/toast-store'
import styles from './toasts.module.css'

export function Toasts() {
  const toasts = useStore(toastStore)
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {toasts.map(({ id, content, kind }) => (
        <div key={id} className={styles.toast} data-kind={kind} data-plain={typeof content === 'string' || undefined}>
          <div className={styles.content}>{content}</div>
          <IconButton label="Close" className={styles.close} onClick={() => closeToast(id)}>
            <X size={14} />
          </IconButton>
        </div>
      ))}
    </div>
  )
}
