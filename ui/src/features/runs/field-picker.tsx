import { type ReactNode, useState } from 'react'
import { fieldLabel } from '~/features/runs/run-values'
import type { AvailableColumns } from '~/features/runs/use-available-columns'
import { formatInteger } from '~/lib/format-number'
import { TextInput } from '~/ui/field'
import styles from './field-picker.module.css'

interface FieldPickerProps {
  available: AvailableColumns
  /** Fields of every run offered besides: `duration`, `group`. */
  plain: readonly { field: string; label: string }[]
  withSummary?: boolean
  children: (field: string, label: string) => ReactNode
}

/** A project can have thousands of metrics: the list shows the first, the search finds the others. */
const MAX_SHOWN = 60

/** A searchable list of fields: config, last values of metrics, and what every run has. */
export function FieldPicker({ available, plain, withSummary = true, children }: FieldPickerProps) {
  const [search, setSearch] = useState('')
  const matches = (label: string) => label.toLowerCase().includes(search.trim().toLowerCase())
  const plainFound = plain.filter(({ label }) => matches(label))
  const sections: [string, string[]][] = [['Config', available.config.filter((field) => matches(fieldLabel(field)))]]
  if (withSummary) sections.push(['Last values', available.summary.filter((field) => matches(fieldLabel(field)))])
  const nothing = plainFound.length === 0 && sections.every(([, fields]) => fields.length === 0)
  return (
    <div className={styles.picker}>
      <TextInput
        type="search"
        aria-label="Search fields"
        placeholder="Search fields"
        autoFocus
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className={styles.list}>
        {plainFound.map(({ field, label }) => children(field, label))}
        {sections.map(
          ([title, fields]) =>
            fields.length > 0 && (
              <section key={title}>
                <h3 className={styles.title}>{title}</h3>
                {fields.slice(0, MAX_SHOWN).map((field) => children(field, fieldLabel(field)))}
                {fields.length > MAX_SHOWN && (
                  <p className={styles.more}>{formatInteger(fields.length - MAX_SHOWN)} more: search for them</p>
                )}
              </section>
            ),
        )}
        {nothing && <p className={styles.more}>No field has this in its name.</p>}
      </div>
    </div>
  )
}
