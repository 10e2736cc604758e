import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError } from '~/api/client'
import { Button } from '~/ui/button'
import styles from './message.module.css'

/** Something to say where content would be. */
export function Message({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className={styles.message}>
      {icon}
      <h2>{title}</h2>
      {children !== undefined && <div className={styles.text}>{children}</div>}
    </div>
  )
}

export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.hint === null ? error.message : `${error.message} (${error.hint})`
  return error instanceof Error ? error.message : String(error)
}

export function ErrorMessage({ title, error, onRetry }: { title: string; error: unknown; onRetry?: () => void }) {
  return (
    <div className={styles.message} role="alert">
      <CircleAlert size={20} className={styles.alert} />
      <h2>{title}</h2>
      <div className={styles.text}>{errorText(error)}</div>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}

/** A calm block where content is on its way. */
export function Skeleton({ height, width = '100%' }: { height: number; width?: number | string }) {
  return <div className={styles.skeleton} style={{ height, width }} aria-hidden />
}
