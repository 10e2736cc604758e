import { lazy, Suspense, useState } from 'react'
import type { Run } from '~/api/types'
import { useUpdateRun } from '~/features/runs/use-update-run'
import { Button } from '~/ui/button'
import { Segmented } from '~/ui/field'
import { Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './notes-editor.module.css'

const NotesView = lazy(async () => ({ default: (await import('~/features/run/notes-view')).NotesView }))

/** The run's notes: shown formatted, written as markdown. */
export function NotesEditor({ run }: { run: Run }) {
  const [draft, setDraft] = useState<string | null>(null)
  const [mode, setMode] = useState<'write' | 'preview'>('write')
  const update = useUpdateRun(run)
  const notes = run.notes ?? ''
  const view = (text: string) => (
    <Suspense
      fallback={
        <div className={styles.loading}>
          <Skeleton height={40} />
        </div>
      }
    >
      <NotesView text={text} />
    </Suspense>
  )
  if (draft === null) {
    return (
      <Panel
        title="Notes"
        aside={
          <Button
            look="ghost"
            onClick={() => {
              setMode('write')
              setDraft(notes)
            }}
          >
            {notes === '' ? 'Add notes' : 'Edit'}
          </Button>
        }
      >
        {notes === '' ? (
          <p className={styles.empty}>What is this run for? Markdown and $\LaTeX$ are understood.</p>
        ) : (
          view(notes)
        )}
      </Panel>
    )
  }
  return (
    <Panel
      title="Notes"
      aside={
        <Segmented
          label="Notes editor"
          value={mode}
          options={[
            { value: 'write', label: 'Write' },
            { value: 'preview', label: 'Preview' },
          ]}
          onChange={setMode}
        />
      }
    >
      {mode === 'write' ? (
        <textarea
          autoFocus
          className={styles.text}
          aria-label="Notes"
          value={draft}
          rows={10}
          onChange={(event) => setDraft(event.target.value)}
        />
      ) : (
        view(draft)
      )}
      <footer className={styles.footer}>
        <Button onClick={() => setDraft(null)}>Cancel</Button>
        <Button
          look="primary"
          disabled={update.isPending}
          onClick={() => update.mutate({ notes: draft }, { onSuccess: () => setDraft(null) })}
        >
          Save notes
        </Button>
      </footer>
    </Panel>
  )
}
