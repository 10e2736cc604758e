import type { ReactNode } from 'react'
import styles from './panel.module.css'

interface PanelProps {
  title: string
  /** How many things are in it. */
  count?: string
  aside?: ReactNode
  children: ReactNode
}

/** A titled box. */
export function Panel({ title, count, aside, children }: PanelProps) {
  return (
    <section className={styles.panel} aria-label={title}>
      <header className={styles.head}>
        <h2>
          {title}
          {count !== undefined && <span className={styles.count}>{count}</span>}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  )
}
