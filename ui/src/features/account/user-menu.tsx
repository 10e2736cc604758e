import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { CircleUser, LogOut, Settings } from 'lucide-react'
import { sendJson } from '~/api/client'
import { sessionQuery } from '~/api/queries'
import { api } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'
import { showToast } from '~/ui/toast-store'
import styles from './user-menu.module.css'

export function UserMenu() {
  const { data: session } = useQuery(sessionQuery())
  const queries = useQueryClient()
  const navigate = useNavigate()
  const logOut = async () => {
    try {
      await sendJson<void>('DELETE', api.session())
      queries.clear()
      await navigate({ to: '/login' })
    } catch {
      showToast('Could not log out: the server cannot be reached.', { kind: 'error' })
    }
  }
  const user = session?.user ?? null
  return (
    <Popover
      label="Account"
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label="Account" {...props}>
          <CircleUser size={16} />
        </IconButton>
      )}
    >
      {(close) => (
        <>
          <div className={styles.who}>
            <div className={styles.name}>
              {user?.name ?? (session?.login_required ? 'Not logged in' : 'Open server')}
            </div>
            <div className={styles.server}>
              {session?.source === 'folder' ? (session.folder ?? 'local folder') : 'steplog'} {session?.version}
            </div>
          </div>
          <MenuLine />
          <MenuItem
            icon={<Settings size={14} />}
            onClick={() => {
              close()
              void navigate({ to: '/settings' })
            }}
          >
            Settings
          </MenuItem>
          {user !== null && session?.login_required && (
            <MenuItem
              icon={<LogOut size={14} />}
              onClick={() => {
                close()
                void logOut()
              }}
            >
              Log out
            </MenuItem>
          )}
        </>
      )}
    </Popover>
  )
}
