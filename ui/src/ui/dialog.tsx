import { X } from 'lucide-react'
import { type ReactNode, useCallback } from 'react'
import { Button, IconButton } from '~/ui/button'
import styles from './dialog.module.css'

interface DialogProps {
  title: ReactNode
  label: string
  onClose: () => void
  children: ReactNode
  actions?: ReactNode
  size?: 'small' | 'full'
}

/** A modal window; Escape and a click beside it close it. Mount it to open it. */
export function Dialog({ title, label, onClose, children, actions, size = 'small' }: DialogProps) {
  const show = useCallback((element: HTMLDialogElement | null) => {
    if (element === null || element.open) return
    element.showModal()
    // The browser would focus the close button: a question's input is what one wants, else nothing in particular.
    const input = element.querySelector<HTMLElement>('input:not([type=range]), textarea')
    const target = element.dataset.size === 'small' && input !== null ? input : element
    target.focus()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the browser closes a dialog on Escape itself
    <dialog
      ref={show}
      tabIndex={-1}
      className={styles.dialog}
      data-size={size}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose()
      }}
    >
      <div className={styles.box}>
        <header className={styles.head}>
          <h2 className={styles.title}>{title}</h2>
          {actions}
          <IconButton label="Close" onClick={onClose}>
            <X size={16} />
          </IconButton>
        </header>
        <div className={styles.body}>{children}</div>
      </div>
    </dialog>
  )
}

/** The buttons at the end of a dialog. */
export function DialogFooter({ children }: { children: ReactNode }) {
  return <footer className={styles.footer}>{children}</footer>
}

interface ConfirmDialogProps {
  title: string
  children: ReactNode
  action: string
  busy: boolean
  error: string | null
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ title, children, action, busy, error, onConfirm, onClose }: ConfirmDialogProps) {
  return (
    <Dialog title={title} label={title} onClose={onClose}>
      <div className={styles.text}>{children}</div>
      {error !== null && <p className={styles.error}>{error}</p>}
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" disabled={busy} onClick={onConfirm}>
          {action}
        </Button>
      </DialogFooter>
    </Dialog>
  )
}
