import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { BellOff, Settings2 } from 'lucide-react'
import { useState } from 'react'
import { useMayWrite } from '~/features/account/use-may-write'
import { AlertItem } from '~/features/alerts/alert-item'
import { alertsQuery } from '~/features/alerts/alert-queries'
import { useNow } from '~/hooks/use-now'
import { Button } from '~/ui/button'
import { Checkbox } from '~/ui/field'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './alert-feed.module.css'

interface AlertFeedProps {
  entity: string
  project: string
  /** Only the alerts of this run. */
  run?: string
  /** Alerts with higher ids are new to the reader. */
  seen: number
  /** Called when a link in it is followed. */
  onFollow?: () => void
}

/** What runs told people, newest first. Repetitions stay away until somebody asks for them. */
export function AlertFeed({ entity, project, run, seen, onFollow }: AlertFeedProps) {
  const [repeated, setRepeated] = useState(false)
  const now = useNow()
  const mayWrite = useMayWrite(entity)
  const query = useInfiniteQuery(alertsQuery(`${entity}/${project}`, run ?? null, repeated))
  const alerts = query.data?.pages.flatMap((page) => page.alerts) ?? []
  return (
    <div className={styles.feed}>
      <header className={styles.head}>
        <h2>Alerts</h2>
        <Checkbox checked={repeated} onChange={(event) => setRepeated(event.target.checked)}>
          Show repeated
        </Checkbox>
        {mayWrite && (
          <Link
            to="/settings"
            search={{ alerts: `${entity}/${project}` }}
            className={styles.settings}
            aria-label="Where alerts are sent"
            title="Where alerts are sent"
            onClick={onFollow}
          >
            <Settings2 size={15} />
          </Link>
        )}
      </header>
      <div className={styles.scroller}>
        {query.error !== null && query.data === undefined ? (
          <ErrorMessage title="Could not read the alerts" error={query.error} onRetry={() => void query.refetch()} />
        ) : query.data === undefined ? (
          <div className={styles.loading}>
            <Skeleton height={52} />
            <Skeleton height={52} />
          </div>
        ) : alerts.length === 0 ? (
          <Message title="No alerts" icon={<BellOff size={20} />}>
            A script tells people something with <code>run.alert(title, text)</code>.
          </Message>
        ) : (
          <ul className={styles.list} aria-label="Alerts">
            {alerts.map((alert) => (
              <AlertItem
                key={alert.id}
                alert={alert}
                entity={entity}
                project={project}
                mayWrite={mayWrite}
                ofRun={run !== undefined}
                unread={alert.id > seen}
                now={now}
                onFollow={onFollow}
              />
            ))}
          </ul>
        )}
        {query.hasNextPage && (
          <div className={styles.more}>
            <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Show older alerts
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}
