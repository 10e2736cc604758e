import { useNavigate } from '@tanstack/react-router'
import { Copy, Ellipsis, Library, ShieldCheck, Trash2, Unlink } from 'lucide-react'
import { useState } from 'react'
import type { Artifact } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { DeleteArtifactDialog } from '~/features/artifacts/delete-dialogs'
import { isLink } from '~/features/artifacts/is-link'
import { LinkDialog } from '~/features/artifacts/link-dialog'
import { qualifiedName } from '~/features/artifacts/usage-code'
import { VerifyDialog } from '~/features/artifacts/verify-dialog'
import { Button, IconButton } from '~/ui/button'
import { copyText } from '~/ui/copy-button'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'
import styles from './artifact-menu.module.css'

/** What can be done with a version. */
export function ArtifactMenu({ artifact }: { artifact: Artifact }) {
  const [dialog, setDialog] = useState<'link' | 'verify' | 'delete' | null>(null)
  const navigate = useNavigate()
  const { entity, project, collection, version } = artifact
  const mayWrite = useMayWrite(entity)
  const name = `${collection}:${version}`
  const linked = isLink(artifact)
  return (
    <>
      {mayWrite && (
        <Button className={styles.link} onClick={() => setDialog('link')}>
          <Library size={14} /> Link to registry
        </Button>
      )}
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
          const pick = (action: () => void) => () => {
            close()
            action()
          }
          return (
            <>
              <MenuItem icon={<Copy size={14} />} onClick={pick(() => void copyText(qualifiedName(artifact)))}>
                Copy full name
              </MenuItem>
              {mayWrite && (
                <>
                  <MenuItem icon={<Library size={14} />} onClick={pick(() => setDialog('link'))}>
                    Link to registry
                  </MenuItem>
                  <MenuItem icon={<ShieldCheck size={14} />} onClick={pick(() => setDialog('verify'))}>
                    Verify files
                  </MenuItem>
                  <MenuLine />
                  <MenuItem
                    icon={linked ? <Unlink size={14} /> : <Trash2 size={14} />}
                    danger
                    onClick={pick(() => setDialog('delete'))}
                  >
                    {linked ? 'Unlink from the registry' : 'Delete version'}
                  </MenuItem>
                </>
              )}
            </>
          )
        }}
      </Popover>
      {dialog === 'link' && <LinkDialog artifact={artifact} onClose={() => setDialog(null)} />}
      {dialog === 'verify' && <VerifyDialog artifact={artifact} onClose={() => setDialog(null)} />}
      {dialog === 'delete' && (
        <DeleteArtifactDialog
          artifact={artifact}
          onClose={() => setDialog(null)}
          onDeleted={() =>
            navigate({ to: '/$entity/$project/artifacts/$collection', params: { entity, project, collection } })
          }
        />
      )}
    </>
  )
}
