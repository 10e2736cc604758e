import { useInfiniteQuery } from '@tanstack/react-query'
import { Bell } from 'lucide-react'
import { useEffect, useState } from 'react'
import { AlertFeed } from '~/features/alerts/alert-feed'
import { ALERTS_OF_PAGE, alertsQuery } from '~/features/alerts/alert-queries'
import { countUnread, newestId } from '~/features/alerts/fresh-alerts'
import { markSeen, useSeen } from '~/features/alerts/seen-alerts'
import { useAlertToasts } from '~/features/alerts/use-alert-toasts'
import { projectPath } from '~/lib/path-builder'
import { IconButton } from '~/ui/button'
import { Popover } from '~/ui/popover'
import styles from './alerts-button.module.css'

/** The alerts of a project behind a bell, which says how many are new; new ones also come up by themselves. */
export function AlertsButton({ entity, project }: { entity: string; project: string }) {
  const path = projectPath(entity, project)
  const { data } = useInfiniteQuery(alertsQuery(path, null))
  const seen = useSeen(path)
  useAlertToasts(entity, project, data?.pages[0]?.alerts)
  const alerts = data?.pages.flatMap((page) => page.alerts) ?? []
  const unread = countUnread(alerts, seen)
  const count = unread >= ALERTS_OF_PAGE ? `${ALERTS_OF_PAGE - 1}+` : String(unread)
  return (
    <Popover
      label="Alerts"
      align="end"
      className={styles.panel}
      trigger={(props) => (
        <IconButton
          label={unread === 0 ? 'Alerts' : `Alerts, ${count} unread`}
          {...props}
          className={styles.button}
          data-unread={unread > 0 || undefined}
        >
          <Bell size={16} />
          {unread > 0 && (
            <span className={styles.count} aria-hidden>
              {count}
            </span>
          )}
        </IconButton>
      )}
    >
      {(close) => <Opened entity={entity} project={project} newest={newestId(alerts)} onFollow={close} />}
    </Popover>
  )
}

interface OpenedProps {
  entity: string
  project: string
  newest: number | null
  onFollow: () => void
}

/** Whoever opens the feed has seen what is in it; what was new then stays marked until it is closed. */
function Opened({ entity, project, newest, onFollow }: OpenedProps) {
  const path = projectPath(entity, project)
  const [seen] = useState(useSeen(path))
  useEffect(() => {
    if (newest !== null) markSeen(path, newest)
  }, [path, newest])
  return <AlertFeed entity={entity} project={project} seen={seen} onFollow={onFollow} />
}
