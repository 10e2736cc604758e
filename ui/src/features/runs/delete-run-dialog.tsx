import type { Run } from '~/api/types'
import { useDeleteRun } from '~/features/runs/use-update-run'
import { plural } from '~/lib/format-number'
import { ConfirmDialog } from '~/ui/dialog'
import { errorText } from '~/ui/message'

export function DeleteRunDialog({
  run,
  onClose,
  onDeleted,
}: {
  run: Run
  onClose: () => void
  onDeleted?: () => void
}) {
  const remove = useDeleteRun(run)
  return (
    <ConfirmDialog
      title="Delete run"
      action="Delete run"
      busy={remove.isPending}
      error={remove.error === null ? null : errorText(remove.error)}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(undefined, {
          onSuccess: () => {
            onClose()
            onDeleted?.()
          },
        })
      }
    >
      <strong>{run.name}</strong> and all its data ({plural(run.row_count, 'row')}) will be removed from the server.
      This cannot be undone.
    </ConfirmDialog>
  )
}
