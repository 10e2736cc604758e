import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '~/api/queries'
import { ApiKeys } from '~/features/account/api-keys'
import { THEMES } from '~/features/account/theme-switch'
import { Users } from '~/features/account/users'
import { setTheme, useTheme } from '~/hooks/use-theme'
import { useTitle } from '~/hooks/use-title'
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
