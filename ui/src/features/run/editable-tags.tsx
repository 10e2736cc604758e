import type { Run } from '~/api/types'
import { useUpdateRun } from '~/features/runs/use-update-run'
import { TagList } from '~/ui/chip-editor'

/** The run's tags. */
export function EditableTags({ run }: { run: Run }) {
  const update = useUpdateRun(run)
  return (
    <TagList
      tags={run.tags}
      onAdd={(tag) => update.mutate({ tags: [...run.tags, tag] })}
      onRemove={(tag) => update.mutate({ tags: run.tags.filter((each) => each !== tag) })}
    />
  )
}
