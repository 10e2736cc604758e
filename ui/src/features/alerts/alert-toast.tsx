import { Link } from '@tanstack/react-router'
import type { RunAlert } from '~/api/types'
import { AlertIcon } from '~/features/alerts/alert-level'
import styles from './alert-toast.module.css'

/** An alert in a few lines, with the way to its run. */
export function AlertToast({ alert, entity, project }: { alert: RunAlert; entity: string; project: string }) {
  return (
    <div className={styles.toast}>
      <AlertIcon level={alert.level} size={18} />
      <div className={styles.body}>
        <strong className={styles.title}>{alert.title}</strong>
        {alert.text !== '' && <p className={styles.text}>{alert.text}</p>}
        <Link
          to="/$entity/$project/runs/$id"
          params={{ entity, project, id: alert.run }}
          search={{ tab: 'alerts' }}
          className={styles.run}
        >
          {alert.run_name}
        </Link>
      </div>
    </div>
  )
}
