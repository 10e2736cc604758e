import type { ComponentProps, ReactNode } from 'react'
import { moveFocus } from '~/ui/arrow-keys'
import styles from './field.module.css'

/** A labelled text input. */
export function Field({ label, hint, ...rest }: ComponentProps<'input'> & { label: string; hint?: string }) {
  return (
    <label className={styles.field}>
      <span className={styles.label}>{label}</span>
      <input className={styles.input} {...rest} />
      {hint !== undefined && <span className={styles.hint}>{hint}</span>}
    </label>
  )
}

export function TextInput({ className = '', ...rest }: ComponentProps<'input'>) {
  return <input className={`${styles.input} ${className}`} {...rest} />
}

export function Checkbox({ children, ...rest }: ComponentProps<'input'> & { children: ReactNode }) {
  return (
    <label className={styles.checkbox}>
      <input type="checkbox" {...rest} />
      <span className={styles.checkboxText}>{children}</span>
    </label>
  )
}

interface SegmentedProps<T extends string> {
  label: string
  value: T
  options: readonly { value: T; label: ReactNode; title?: string }[]
  onChange: (value: T) => void
}

/** A few choices side by side, one of them taken; arrow keys take the next one. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  return (
    <div
      className={styles.segmented}
      role="radiogroup"
      aria-label={label}
      onKeyDown={(event) => moveFocus(event, 'horizontal')?.click()}
    >
      {options.map((option) => (
        // biome-ignore lint/a11y/useSemanticElements: a styled radio group of buttons
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          title={option.title}
          aria-label={option.title}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  )
}
