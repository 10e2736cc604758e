import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'
import { sessionQuery } from '~/api/queries'
import { ApiKeys } from '~/features/account/api-keys'
import { THEMES } from '~/features/account/theme-switch'
import { useMayWrite } from '~/features/account/use-may-write'
import { Users } from '~/features/account/users'
import { Channels } from '~/features/alerts/channels'
import { setTheme, useTheme } from '~/hooks/use-theme'
import { useTitle } from '~/hooks/use-title'
import type { SearchParams } from '~/lib/search-params'
import { Segmented } from '~/ui/field'
import { Panel } from '~/ui/panel'
import styles from './settings-page.module.css'

export function SettingsPage() {
  const theme = useTheme()
  useTitle('Settings')
  const { data: session } = useQuery(sessionQuery())
  return (
    <div className={styles.scroller}>
      <div className={styles.page}>
        <h1>Settings</h1>
        <Panel title="Appearance">
          <div className={styles.row}>
            <span className={styles.label}>Theme</span>
            <Segmented
              label="Theme"
              value={theme}
              options={THEMES.map(({ value, label, Icon }) => ({
                value,
                title: label,
                label: (
                  <>
                    <Icon size={14} /> {label}
                  </>
                ),
              }))}
              onChange={setTheme}
            />
          </div>
        </Panel>
        {session !== undefined && <AlertSettings ownEntity={session.default_entity} />}
        {session !== undefined && session.user !== null && <ApiKeys />}
        {session?.user?.admin && <Users self={session.user.name} />}
        {session !== undefined && session.user === null && (
          <Panel title="Accounts">
            <p className={styles.text}>
              This server has no accounts: everybody who reaches it may read and write. API keys and users appear here
              once it has one.
            </p>
          </Panel>
        )}
      </div>
    </div>
  )
}

/** The channels of the reader's own entity, or of the one whose alerts they came from. */
function AlertSettings({ ownEntity }: { ownEntity: string }) {
  const { alerts } = useSearch({ strict: false }) as SearchParams
  const [entity, project = null] = alerts === undefined ? [ownEntity] : alerts.split('/')
  const show = useCallback((element: HTMLDivElement | null) => {
    if (element?.dataset.asked) element.scrollIntoView({ block: 'nearest' })
  }, [])
  if (!useMayWrite(entity)) return null
  return (
    <div ref={show} data-asked={alerts}>
      <Channels key={entity} entity={entity} project={project} />
    </div>
  )
}
