import { type ReactNode, useState } from 'react'
import { fieldLabel } from '~/features/runs/run-values'
import type { AvailableColumns } from '~/features/runs/use-available-columns'
import { formatInteger } from '~/lib/format-number'
import { ChoiceGroup, Choices } from '~/ui/choices'
import { TextInput } from '~/ui/field'
import styles from './field-picker.module.css'

interface FieldPickerProps {
  available: AvailableColumns
  /** Fields of every run offered besides: `duration`, `group`. */
  plain: readonly { field: string; label: string }[]
  withSummary?: boolean
  /** What the fields are choices of, where only one of them is taken; otherwise each is a question of its own. */
  choicesOf?: string
  children: (field: string, label: string) => ReactNode
}

/** A project can have thousands of metrics: the list shows the first, the search finds the others. */
const MAX_SHOWN = 60

/** A searchable list of fields: config, last values of metrics, and what every run has. */
export function FieldPicker({ available, plain, withSummary = true, choicesOf, children }: FieldPickerProps) {
  const [search, setSearch] = useState('')
  const matches = (label: string) => label.toLowerCase().includes(search.trim().toLowerCase())
  const plainFound = plain.filter(({ label }) => matches(label))
  const sections: [string, string[]][] = [['Config', available.config.filter((field) => matches(fieldLabel(field)))]]
  if (withSummary) sections.push(['Last values', available.summary.filter((field) => matches(fieldLabel(field)))])
  const found = sections.filter(([, fields]) => fields.length > 0)
  const lists = (
    <>
      {plainFound.map(({ field, label }) => children(field, label))}
      {found.map(([title, fields]) => (
        <ChoiceGroup key={title} label={title}>
          {fields.slice(0, MAX_SHOWN).map((field) => children(field, fieldLabel(field)))}
        </ChoiceGroup>
      ))}
    </>
  )
  const left = found.reduce((sum, [, fields]) => sum + Math.max(0, fields.length - MAX_SHOWN), 0)
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
        {choicesOf === undefined ? lists : <Choices label={choicesOf}>{lists}</Choices>}
        {left > 0 && <p className={styles.more}>{formatInteger(left)} more: search for them</p>}
        {plainFound.length + found.length === 0 && <p className={styles.more}>No field has this in its name.</p>}
      </div>
    </div>
  )
}
