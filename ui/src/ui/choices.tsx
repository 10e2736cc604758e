import type { ReactNode } from 'react'
import styles from './choices.module.css'

/** Choices of which one is taken, in a panel that also has other things in it; arrow keys go through them. */
export function Choices({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <div role="listbox" aria-label={label} className={className} tabIndex={-1}>
      {children}
    </div>
  )
}

/** Choices of a kind within others. */
export function ChoiceGroup({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a listbox takes groups, not fieldsets
    <div role="group" aria-label={label}>
      <div aria-hidden className={styles.title}>
        {label}
      </div>
      {children}
    </div>
  )
}

interface ChoiceProps {
  chosen: boolean
  onChoose: () => void
  children: ReactNode
}

export function Choice({ chosen, onChoose, children }: ChoiceProps) {
  return (
    <button type="button" role="option" aria-selected={chosen} className={styles.choice} onClick={onChoose}>
      <span className={styles.text}>{children}</span>
      {chosen && (
        <span className={styles.check} aria-hidden>
          ✓
        </span>
      )}
    </button>
  )
}
