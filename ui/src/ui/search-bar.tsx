import type { ReactNode } from 'react'
import { TextInput } from '~/ui/field'
import styles from './search-bar.module.css'

interface SearchBarProps {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
  /** How much was found. */
  count: ReactNode
  /** What stands at the other end. */
  children?: ReactNode
}

/** The bar above a list or table that one searches. */
export function SearchBar({ label, placeholder, value, onChange, count, children }: SearchBarProps) {
  return (
    <div className={styles.bar}>
      <TextInput
        type="search"
        className={styles.search}
        aria-label={label}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <span className={styles.count}>{count}</span>
      <span className={styles.space} />
      {children}
    </div>
  )
}
