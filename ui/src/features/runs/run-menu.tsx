import { useNavigate } from '@tanstack/react-router'
import { CircleStop, Copy, Ellipsis, Eye, Pencil, SquareArrowOutUpRight, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '~/api/types'
import { DeleteRunDialog } from '~/features/runs/delete-run-dialog'
import { RenameRunDialog } from '~/features/runs/rename-run-dialog'
import { useUpdateRun } from '~/features/runs/use-update-run'
import { runPath } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { copyText } from '~/ui/copy-button'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'

interface RunMenuProps {
  run: Run
  /** Leaves only this run on the charts; absent where there are no others. */
  onOnly?: () => void
  onDeleted?: () => void
}

export function RunMenu({ run, onOnly, onDeleted }: RunMenuProps) {
  const [dialog, setDialog] = useState<'rename' | 'delete' | null>(null)
  const navigate = useNavigate()
  const update = useUpdateRun(run)
  const path = runPath(run.entity, run.project, run.id)
  return (
    <>
      <Popover
        label={`Actions for ${run.name}`}
        role="menu"
        align="end"
        trigger={(props) => (
          <IconButton label={`Actions for ${run.name}`} {...props} style={{ width: 24, height: 24 }}>
            <Ellipsis size={14} />
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
              {onOnly !== undefined && (
                <>
                  <MenuItem
                    icon={<SquareArrowOutUpRight size={14} />}
                    onClick={pick(() =>
                      navigate({
                        to: '/$entity/$project/runs/$id',
                        params: { entity: run.entity, project: run.project, id: run.id },
                      }),
                    )}
                  >
                    Open run
                  </MenuItem>
                  <MenuItem icon={<Eye size={14} />} onClick={pick(onOnly)}>
                    Show only this run
                  </MenuItem>
                </>
              )}
              <MenuItem icon={<Copy size={14} />} onClick={pick(() => void copyText(path))}>
                Copy path
              </MenuItem>
              <MenuItem icon={<Pencil size={14} />} onClick={pick(() => setDialog('rename'))}>
                Rename…
              </MenuItem>
              {run.state === 'running' && (
                <MenuItem icon={<CircleStop size={14} />} onClick={pick(() => update.mutate({ stop: true }))}>
                  Ask to stop
                </MenuItem>
              )}
              <MenuLine />
              <MenuItem danger icon={<Trash2 size={14} />} onClick={pick(() => setDialog('delete'))}>
                Delete…
              </MenuItem>
            </>
          )
        }}
      </Popover>
      {dialog === 'rename' && <RenameRunDialog run={run} onClose={() => setDialog(null)} />}
      {dialog === 'delete' && <DeleteRunDialog run={run} onClose={() => setDialog(null)} onDeleted={onDeleted} />}
    </>
  )
}
