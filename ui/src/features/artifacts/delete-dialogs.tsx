import { useState } from 'react'
import type { Artifact, Collection } from '~/api/types'
import { isLink } from '~/features/artifacts/is-link'
import { useDeleteArtifact, useDeleteCollection } from '~/features/artifacts/use-artifact-changes'
import { formatBytes, plural } from '~/lib/format-number'
import { ConfirmDialog } from '~/ui/dialog'
import { Checkbox } from '~/ui/field'
import { errorText } from '~/ui/message'

interface DeleteArtifactDialogProps {
  artifact: Artifact
  onClose: () => void
  /** Leaves the page of what is gone. */
  onDeleted: () => Promise<void>
}

/** Asks before a version is deleted, and says what goes with it. Of a registry, only the link goes. */
export function DeleteArtifactDialog({ artifact, onClose, onDeleted }: DeleteArtifactDialogProps) {
  const [withAliases, setWithAliases] = useState(false)
  const remove = useDeleteArtifact(artifact, onDeleted)
  const { collection, version, source } = artifact
  const linked = isLink(artifact)
  const aliases = artifact.aliases.filter((alias) => alias !== 'latest')
  const name = `${collection}:${version}`
  return (
    <ConfirmDialog
      title={linked ? 'Unlink from the registry' : 'Delete version'}
      action={linked ? 'Unlink' : 'Delete version'}
      busy={remove.isPending || (aliases.length > 0 && !withAliases)}
      error={remove.error === null ? null : errorText(remove.error)}
      onClose={onClose}
      // Nobody set `latest`, and nobody has to be asked about it.
      onConfirm={() => remove.mutate(artifact.aliases.length > 0)}
    >
      {linked ? (
        <p>
          <strong>{name}</strong> leaves the registry. The version itself,{' '}
          <strong>
            {source.project}/{source.collection}:{source.version}
          </strong>
          , stays with all its files.
        </p>
      ) : (
        <p>
          <strong>{name}</strong> with {plural(artifact.file_count, 'file')} ({formatBytes(artifact.size_bytes)}) will
          be gone for good, except for content that other versions have too. Its number is never used again.
          {artifact.use_count > 0 &&
            ` ${usedBy(artifact.use_count)} it: where their data came from can no longer be seen.`}
        </p>
      )}
      {aliases.length > 0 && (
        <Checkbox checked={withAliases} onChange={(event) => setWithAliases(event.target.checked)}>
          {aliases.length === 1 ? 'Its alias' : 'Its aliases'} {aliases.join(', ')} too
        </Checkbox>
      )}
    </ConfirmDialog>
  )
}

function usedBy(count: number): string {
  return count === 1 ? 'One run used' : `${plural(count, 'run')} used`
}

interface DeleteCollectionDialogProps {
  collection: Collection
  onClose: () => void
  /** Leaves the page of what is gone. */
  onDeleted: () => Promise<void>
}

export function DeleteCollectionDialog({ collection, onClose, onDeleted }: DeleteCollectionDialogProps) {
  const remove = useDeleteCollection(collection, onDeleted)
  const { name, kind, version_count: count } = collection
  return (
    <ConfirmDialog
      title="Delete collection"
      action="Delete collection"
      busy={remove.isPending}
      error={remove.error === null ? null : errorText(remove.error)}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      {kind === 'registry' ? (
        <p>
          <strong>{name}</strong> with {plural(count, 'link')} leaves the registry. The versions themselves stay.
        </p>
      ) : (
        <p>
          <strong>{name}</strong> with {plural(count, 'version')} ({formatBytes(collection.size_bytes)}) and all aliases
          will be gone for good.
        </p>
      )}
    </ConfirmDialog>
  )
}
