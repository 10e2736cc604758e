import type { Run } from '~/api/types'
import { useUpdateRun } from '~/features/runs/use-update-run'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import { Field } from '~/ui/field'

export function RenameRunDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const update = useUpdateRun(run)
  return (
    <Dialog title="Rename run" label="Rename run" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const name = String(new FormData(event.currentTarget).get('name')).trim()
          if (name === '' || name === run.name) return onClose()
          update.mutate({ name }, { onSuccess: onClose })
        }}
      >
        <Field label="Name" name="name" defaultValue={run.name} autoFocus autoComplete="off" required />
        <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, marginTop: 16 }}>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={update.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
