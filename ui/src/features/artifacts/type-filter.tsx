import { formatInteger } from '~/lib/format-number'
import { moveFocus } from '~/ui/arrow-keys'
import styles from './type-filter.module.css'

interface TypeFilterProps {
  types: readonly { type: string; count: number }[]
  /** `null`: all of them. */
  value: string | null
  onChange: (type: string | null) => void
}

/** The types that there are, one of which (or all) is looked at. */
export function TypeFilter({ types, value, onChange }: TypeFilterProps) {
  const total = types.reduce((sum, { count }) => sum + count, 0)
  const choices = [{ type: null, label: 'All', count: total }, ...types.map((each) => ({ ...each, label: each.type }))]
  return (
    <div
      className={styles.types}
      role="radiogroup"
      aria-label="Type"
      onKeyDown={(event) => moveFocus(event, 'horizontal')?.click()}
    >
      {choices.map(({ type, label, count }) => (
        // biome-ignore lint/a11y/useSemanticElements: a styled radio group of buttons
        <button
          key={type ?? ''}
          type="button"
          role="radio"
          aria-checked={type === value}
          tabIndex={type === value ? 0 : -1}
          onClick={() => onChange(type)}
        >
          {label}
          <span className={styles.count}>{formatInteger(count)}</span>
        </button>
      ))}
    </div>
  )
}
