import { ArrowDown, ArrowUp } from 'lucide-react'
import type { Run, Sort } from '~/api/types'
import { type Differences, fieldLabel, isNumberField } from '~/features/runs/run-values'
import styles from './run-grid-head.module.css'

interface RunGridHeadProps {
  columns: readonly string[]
  columnWidth: number
  differences: Differences
  sort: Sort | null
  /** A run that tells which columns hold numbers. */
  sample: Run | undefined
  onSort: (sort: Sort | null) => void
}

/** A click sorts downwards, the next one upwards, the third goes back to the newest first. */
function nextSort(sort: Sort | null, field: string): Sort | null {
  if (sort?.field !== field) return { field, descending: true }
  return sort.descending ? { field, descending: false } : null
}

export function RunGridHead({ columns, columnWidth, differences, sort, sample, onSort }: RunGridHeadProps) {
  const header = (field: string, label: string, group: string | null) => (
    <button
      type="button"
      className={styles.button}
      onClick={() => onSort(nextSort(sort, field))}
      title={`Sort by ${field}`}
      aria-label={`Sort by ${field}`}
      data-sorted={sort?.field === field || undefined}
    >
      <span className={styles.label}>
        {group !== null && <span className={styles.group}>{group}</span>}
        {label}
      </span>
      {sort?.field === field && (sort.descending ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
    </button>
  )
  return (
    <div className={styles.head} style={{ minWidth: '100%', width: 'max-content' }}>
      <div className={styles.name}>{header('name', 'Name', null)}</div>
      {columns.map((field) => (
        <div
          key={field}
          className={styles.cell}
          style={{ width: columnWidth }}
          data-differs={differences.has(field) || undefined}
          data-number={(sample !== undefined && isNumberField(sample, field)) || undefined}
        >
          {header(field, fieldLabel(field), field.startsWith('summary.') ? 'last' : null)}
        </div>
      ))}
    </div>
  )
}
