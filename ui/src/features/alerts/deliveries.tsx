import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Check, CircleHelp, Clock, LoaderCircle, Minus, X } from 'lucide-react'
import { sendJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { AlertDelivery } from '~/api/types'
import { ChannelIcon } from '~/features/alerts/channel-kind'
import { describeDelivery } from '~/features/alerts/describe-delivery'
import { formatDateTime } from '~/lib/format-time'
import { api, projectPath } from '~/lib/path-builder'
import { errorText } from '~/ui/message'
import { showToast } from '~/ui/toast-store'
import styles from './deliveries.module.css'

const STATES = {
  waiting: Clock,
  sending: LoaderCircle,
  sent: Check,
  failed: X,
  unknown: CircleHelp,
  skipped: Minus,
} as const

interface DeliveriesProps {
  deliveries: readonly AlertDelivery[]
  entity: string
  project: string
  /** Whether the reader may have it sent again. */
  mayWrite: boolean
  now: number
}

/** Where an alert was sent, a chip for each channel; what went wrong says why. */
export function Deliveries({ deliveries, entity, project, mayWrite, now }: DeliveriesProps) {
  return (
    <ul className={styles.list} aria-label="Sent to">
      {deliveries.map((delivery) => (
        <Delivery
          key={delivery.id}
          delivery={delivery}
          entity={entity}
          project={project}
          mayWrite={mayWrite}
          now={now}
        />
      ))}
    </ul>
  )
}

interface DeliveryProps extends Omit<DeliveriesProps, 'deliveries'> {
  delivery: AlertDelivery
}

function Delivery({ delivery, entity, project, mayWrite, now }: DeliveryProps) {
  const queries = useQueryClient()
  const { text, detail, open, again } = describeDelivery(delivery, now)
  const send = useMutation({
    mutationFn: () => sendJson<AlertDelivery>('POST', api.sendAgain(entity, delivery.id), {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: keyOf.alerts(projectPath(entity, project)) }),
    onError: (error) => showToast(`Not sent again: ${errorText(error)}`, { kind: 'error' }),
  })
  const StateIcon = STATES[delivery.state]
  const tried = delivery.last_attempt_at === null ? null : `last tried ${formatDateTime(delivery.last_attempt_at)}`
  const title = [detail, tried, delivery.attempts > 1 ? `${delivery.attempts} tries` : null].filter(Boolean).join(' · ')
  return (
    <li className={styles.item} data-open={open || undefined}>
      <span className={styles.chip} data-state={delivery.state} title={title}>
        <ChannelIcon kind={delivery.kind} size={12} />
        <span className={styles.name}>{delivery.channel_name}</span>
        <span className={styles.state}>
          <StateIcon size={12} aria-hidden />
          {delivery.state === 'sent' && <span className="visually-hidden">sent at</span>}
          {text}
        </span>
      </span>
      {open && detail !== null && <span className={styles.detail}>{detail}</span>}
      {again && mayWrite && (
        <button type="button" className={styles.again} disabled={send.isPending} onClick={() => send.mutate()}>
          Send again
        </button>
      )}
    </li>
  )
}
