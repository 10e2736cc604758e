import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '~/api/types'
import { useUpdateRun } from '~/features/runs/use-update-run'
import styles from './editable-tags.module.css'

/** Tags as chips: a cross removes one, Enter in the input adds one. */
export function EditableTags({ run }: { run: Run }) {
  const [adding, setAdding] = useState(false)
  const update = useUpdateRun(run)
  const add = (text: string) => {
    const tag = text.trim()
    setAdding(false)
    if (tag !== '' && !run.tags.includes(tag)) update.mutate({ tags: [...run.tags, tag] })
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: chips in a line, not a form
    <span className={styles.tags} role="group" aria-label="Tags">
      {run.tags.map((tag) => (
        <span key={tag} className={styles.tag}>
          {tag}
          <button
            type="button"
            aria-label={`Remove tag ${tag}`}
            onClick={() => update.mutate({ tags: run.tags.filter((each) => each !== tag) })}
          >
            <X size={11} />
          </button>
        </span>
      ))}
      {adding ? (
        <input
          autoFocus
          className={styles.input}
          aria-label="New tag"
          placeholder="tag"
          onBlur={(event) => add(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur()
            if (event.key === 'Escape') setAdding(false)
          }}
        />
      ) : (
        <button type="button" className={styles.add} onClick={() => setAdding(true)}>
          <Plus size={12} /> Tag
        </button>
      )}
    </span>
  )
}
