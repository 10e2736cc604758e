import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { RunAlert } from '~/api/types'
import { AlertIcon, AlertLevelText } from '~/features/alerts/alert-level'
import { Deliveries } from '~/features/alerts/deliveries'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import styles from './alert-item.module.css'

interface AlertItemProps {
  alert: RunAlert
  entity: string
  project: string
  /** Whether the page is its run's, which needs no link to it. */
  ofRun: boolean
  /** Whether the reader may have it sent again. */
  mayWrite: boolean
  unread: boolean
  now: number
  onFollow?: () => void
}

/** Longer texts are cut until somebody wants them. */
const SHORT_LINES = 6
const SHORT_LETTERS = 420

/** One alert: what, how grave, by whom, when. Its text is shown as it was written. */
export function AlertItem({ alert, entity, project, ofRun, mayWrite, unread, now, onFollow }: AlertItemProps) {
  const [whole, setWhole] = useState(false)
  const long = alert.text.length > SHORT_LETTERS || alert.text.split('\n').length > SHORT_LINES
  return (
    <li className={styles.item} data-unread={unread || undefined} data-repeated={alert.repeated || undefined}>
      <AlertIcon level={alert.level} />
      <div className={styles.body}>
        <div className={styles.head}>
          <strong className={styles.title}>{alert.title}</strong>
          {unread && <span className={styles.dot} role="img" aria-label="Unread" />}
          <time className={styles.time} title={formatDateTime(alert.time)}>
            {formatRelative(alert.time, now)}
          </time>
        </div>
        {alert.text !== '' && (
          <p className={styles.text} data-cut={(long && !whole) || undefined}>
            {alert.text}
          </p>
        )}
        {long && (
          <button type="button" className={styles.more} aria-expanded={whole} onClick={() => setWhole(!whole)}>
            {whole ? 'Show less' : 'Show all'}
          </button>
        )}
        <div className={styles.facts}>
          <AlertLevelText level={alert.level} />
          {!ofRun && (
            <Link
              to="/$entity/$project/runs/$id"
              params={{ entity, project, id: alert.run }}
              className={styles.run}
              onClick={onFollow}
            >
              {alert.run_name}
            </Link>
          )}
          {alert.repeated && <span title="It came while the one before was still fresh">repeated</span>}
        </div>
        {alert.deliveries.length > 0 && (
          <Deliveries deliveries={alert.deliveries} entity={entity} project={project} mayWrite={mayWrite} now={now} />
        )}
      </div>
    </li>
  )
}
