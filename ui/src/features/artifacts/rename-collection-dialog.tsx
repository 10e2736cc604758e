import { type FormEvent, useState } from 'react'
import type { Collection } from '~/api/types'
import { useUpdateCollection } from '~/features/artifacts/use-artifact-changes'
import { Button } from '~/ui/button'
import { Dialog, DialogFooter } from '~/ui/dialog'
import { Field } from '~/ui/field'

interface RenameCollectionDialogProps {
  collection: Collection
  onClose: () => void
  /** Leaves the page of the old name. */
  onRenamed: (name: string) => Promise<void>
}

export function RenameCollectionDialog({ collection, onClose, onRenamed }: RenameCollectionDialogProps) {
  const [name, setName] = useState(collection.name)
  const update = useUpdateCollection(collection, (renamed) => onRenamed(renamed.name))
  const keep = (event: FormEvent) => {
    event.preventDefault()
    update.mutate({ name: name.trim() }, { onSuccess: onClose })
  }
  return (
    <Dialog title="Rename collection" label="Rename collection" onClose={onClose}>
      <form onSubmit={keep}>
        <Field
          label="Name"
          hint="Versions keep their numbers; scripts that use the old name find nothing there any more."
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={name.trim() === '' || update.isPending}>
            Rename
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
