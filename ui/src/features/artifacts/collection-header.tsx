import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowLeft, Ellipsis, Library, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Collection } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { DeleteCollectionDialog } from '~/features/artifacts/delete-dialogs'
import { RenameCollectionDialog } from '~/features/artifacts/rename-collection-dialog'
import { useNow } from '~/hooks/use-now'
import { formatBytes, plural } from '~/lib/format-number'
import { formatDate, formatDateTime, formatRelative } from '~/lib/format-time'
import { IconButton } from '~/ui/button'
import { MenuItem, Popover } from '~/ui/popover'
import styles from './artifact-header.module.css'

/** What a collection is called and how much is in it. */
export function CollectionHeader({ collection }: { collection: Collection }) {
  const now = useNow()
  const { entity, project, name, kind } = collection
  return (
    <header className={styles.header} data-tabs="none">
      <div className={styles.top}>
        <Link
          to="/$entity/$project/artifacts"
          params={{ entity, project }}
          className={styles.back}
          aria-label="Back to the artifacts"
          title="Back to the artifacts"
        >
          <ArrowLeft size={16} />
        </Link>
        <h1 className={styles.name} title={name}>
          {name}
        </h1>
        <span className={styles.type}>{collection.type}</span>
        {kind === 'registry' && (
          <span className={styles.type}>
            <Library size={12} /> registry
          </span>
        )}
        <span className={styles.space} />
        <CollectionMenu collection={collection} />
      </div>
      <div className={styles.facts}>
        <span>{plural(collection.version_count, 'version')}</span>
        <span>{formatBytes(collection.size_bytes)} in all</span>
        <span title={formatDateTime(collection.created_at)}>since {formatDate(collection.created_at)}</span>
        <span title={formatDateTime(collection.updated_at)}>changed {formatRelative(collection.updated_at, now)}</span>
      </div>
    </header>
  )
}

function CollectionMenu({ collection }: { collection: Collection }) {
  const [dialog, setDialog] = useState<'rename' | 'delete' | null>(null)
  const navigate = useNavigate()
  const { entity, project, name } = collection
  if (!useMayWrite(entity)) return null
  return (
    <>
      <Popover
        label={`Actions for ${name}`}
        role="menu"
        align="end"
        trigger={(props) => (
          <IconButton label={`Actions for ${name}`} {...props}>
            <Ellipsis size={16} />
          </IconButton>
        )}
      >
        {(close) => {
          const open = (which: 'rename' | 'delete') => () => {
            close()
            setDialog(which)
          }
          return (
            <>
              <MenuItem icon={<Pencil size={14} />} onClick={open('rename')}>
                Rename
              </MenuItem>
              <MenuItem icon={<Trash2 size={14} />} danger onClick={open('delete')}>
                Delete collection
              </MenuItem>
            </>
          )
        }}
      </Popover>
      {dialog === 'rename' && (
        <RenameCollectionDialog
          collection={collection}
          onClose={() => setDialog(null)}
          onRenamed={(next) =>
            navigate({
              to: '/$entity/$project/artifacts/$collection',
              params: { entity, project, collection: next },
              replace: true,
            })
          }
        />
      )}
      {dialog === 'delete' && (
        <DeleteCollectionDialog
          collection={collection}
          onClose={() => setDialog(null)}
          onDeleted={() => navigate({ to: '/$entity/$project/artifacts', params: { entity, project } })}
        />
      )}
    </>
  )
}
