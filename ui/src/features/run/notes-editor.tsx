import type { Run } from '~/api/types'
import { MarkdownPanel } from '~/features/markdown/markdown-panel'
import { useUpdateRun } from '~/features/runs/use-update-run'

/** The run's notes. */
export function NotesEditor({ run }: { run: Run }) {
  const update = useUpdateRun(run)
  return (
    <MarkdownPanel
      title="Notes"
      noun="notes"
      text={run.notes ?? ''}
      empty="What is this run for? Markdown and $\LaTeX$ are understood."
      saving={update.isPending}
      onSave={(notes, done) => update.mutate({ notes }, { onSuccess: done })}
    />
  )
}
