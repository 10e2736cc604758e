import { Pencil } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '~/api/types'
import { useUpdateRun } from '~/features/runs/use-update-run'
import { TextInput } from '~/ui/field'
import styles from './editable-name.module.css'

/** The run's name; a click turns it into an input, Enter keeps, Escape leaves it. */
export function EditableName({ run }: { run: Run }) {
  const [editing, setEditing] = useState(false)
  const update = useUpdateRun(run)
  if (!editing) {
    return (
      <h1 className={styles.heading}>
        <button type="button" className={styles.name} title="Rename" onClick={() => setEditing(true)}>
          <span>{run.name}</span>
          <Pencil size={13} className={styles.pencil} />
        </button>
      </h1>
    )
  }
  const keep = (text: string) => {
    setEditing(false)
    const name = text.trim()
    if (name !== '' && name !== run.name) update.mutate({ name })
  }
  return (
    <TextInput
      autoFocus
      className={styles.input}
      aria-label="Run name"
      defaultValue={run.name}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => keep(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key === 'Escape') {
          event.currentTarget.value = run.name
          event.currentTarget.blur()
        }
      }}
    />
  )
}
