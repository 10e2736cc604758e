import type { ReactNode } from 'react'
import { moveFocus } from '~/ui/arrow-keys'
import styles from './tabs.module.css'

interface TabsProps<T extends string> {
  label: string
  value: T
  tabs: readonly { value: T; label: string; count?: ReactNode }[]
  onChange: (value: T) => void
}

/** The parts of a page, one of which is shown; arrow keys go to the next one. */
export function Tabs<T extends string>({ label, value, tabs, onChange }: TabsProps<T>) {
  return (
    <div
      className={styles.tabs}
      role="tablist"
      aria-label={label}
      onKeyDown={(event) => moveFocus(event, 'horizontal')?.click()}
    >
      {tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          aria-selected={tab.value === value}
          tabIndex={tab.value === value ? 0 : -1}
          onClick={() => onChange(tab.value)}
        >
          {tab.label}
          {tab.count !== undefined && <span className={styles.count}>{tab.count}</span>}
        </button>
      ))}
    </div>
  )
}
