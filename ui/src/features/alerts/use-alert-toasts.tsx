import { useEffect, useRef } from 'react'
import type { RunAlert } from '~/api/types'
import { AlertToast } from '~/features/alerts/alert-toast'
import { freshAlerts, newestId } from '~/features/alerts/fresh-alerts'
import { showToast } from '~/ui/toast-store'

const SHOWN_MILLIS = 12_000

/** Shows each alert that comes while the page is open; what was there when it opened is none of them. */
export function useAlertToasts(entity: string, project: string, alerts: readonly RunAlert[] | undefined): void {
  const known = useRef<{ project: string; id: number } | null>(null)
  useEffect(() => {
    if (alerts === undefined) return
    const path = `${entity}/${project}`
    const before = known.current?.project === path ? known.current.id : null
    known.current = { project: path, id: Math.max(before ?? 0, newestId(alerts) ?? 0) }
    if (before === null) return
    for (const alert of freshAlerts(alerts, before, Date.now() / 1000)) {
      showToast(<AlertToast alert={alert} entity={entity} project={project} />, {
        kind: alert.level === 'ERROR' ? 'error' : 'info',
        millis: SHOWN_MILLIS,
      })
    }
  }, [entity, project, alerts])
}
