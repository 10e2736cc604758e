import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import styles from './chip-editor.module.css'

interface ChipAdderProps {
  /** What one of them is called: `tag`. */
  noun: string
  onAdd: (text: string) => void
}

/** A button that becomes an input; Enter keeps what was written, Escape leaves it. */
export function ChipAdder({ noun, onAdd }: ChipAdderProps) {
  const [adding, setAdding] = useState(false)
  if (!adding) {
    return (
      <button type="button" className={styles.add} onClick={() => setAdding(true)}>
        <Plus size={12} /> {noun[0].toUpperCase() + noun.slice(1)}
      </button>
    )
  }
  const keep = (text: string) => {
    setAdding(false)
    if (text.trim() !== '') onAdd(text.trim())
  }
  return (
    <input
      autoFocus
      className={styles.input}
      aria-label={`New ${noun}`}
      placeholder={noun}
      onBlur={(event) => keep(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key === 'Escape') setAdding(false)
      }}
    />
  )
}

/** The cross at the end of a chip. */
export function ChipRemover({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <button type="button" className={styles.remove} aria-label={label} title={label} onClick={onRemove}>
      <X size={11} />
    </button>
  )
}

interface TagListProps {
  tags: readonly string[]
  /** Absent where the reader may not write. */
  onAdd?: (tag: string) => void
  onRemove?: (tag: string) => void
}

/** Tags as chips: a cross removes one, the button after them adds one. */
export function TagList({ tags, onAdd, onRemove }: TagListProps) {
  if (tags.length === 0 && onAdd === undefined) return null
  return (
    // biome-ignore lint/a11y/useSemanticElements: chips in a line, not a form
    <span className={styles.tags} role="group" aria-label="Tags">
      {tags.map((tag) => (
        <span key={tag} className={styles.tag} data-plain={onRemove === undefined || undefined} title={tag}>
          <span className={styles.text}>{tag}</span>
          {onRemove !== undefined && <ChipRemover label={`Remove tag ${tag}`} onRemove={() => onRemove(tag)} />}
        </span>
      ))}
      {onAdd !== undefined && (
        <ChipAdder
          noun="tag"
          onAdd={(tag) => {
            if (!tags.includes(tag)) onAdd(tag)
          }}
        />
      )}
    </span>
  )
}
