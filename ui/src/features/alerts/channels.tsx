import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Ellipsis, Pencil, Plus, Power, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { sendJson } from '~/api/client'
import type { AlertChannel, AlertChannelTest, UpdateAlertChannelRequest } from '~/api/types'
import { alertChannelsQuery } from '~/features/alerts/alert-queries'
import { ChannelDialog } from '~/features/alerts/channel-dialog'
import { ChannelIcon } from '~/features/alerts/channel-kind'
import { LOWEST_LEVELS } from '~/features/alerts/lowest-levels'
import { api } from '~/lib/path-builder'
import { Button, IconButton } from '~/ui/button'
import { ConfirmDialog } from '~/ui/dialog'
import { ErrorMessage, errorText, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'
import { showToast } from '~/ui/toast-store'
import styles from './channels.module.css'

interface ChannelsProps {
  entity: string
  /** The project that the reader came from; new channels are for it unless told otherwise. */
  project: string | null
}

/** Where an entity's alerts are sent: added, tried, changed, switched off, removed. */
export function Channels({ entity, project }: ChannelsProps) {
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery(alertChannelsQuery(entity))
  const [editing, setEditing] = useState<AlertChannel | 'new' | null>(null)
  const [removing, setRemoving] = useState<AlertChannel | null>(null)
  const refresh = () => queries.invalidateQueries({ queryKey: alertChannelsQuery(entity).queryKey })
  const remove = useMutation({
    mutationFn: (id: number) => sendJson<void>('DELETE', api.alertChannel(entity, id)),
    onSuccess: () => {
      setRemoving(null)
      void refresh()
    },
  })
  const channels = data?.channels ?? []
  return (
    <Panel
      title="Alert channels"
      aside={
        data !== undefined && (
          <Button look="ghost" onClick={() => setEditing('new')}>
            <Plus size={14} /> Add channel
          </Button>
        )
      }
    >
      <p className={styles.text}>
        What the runs of <strong>{entity}</strong> tell people is also sent here. Repetitions within an alert's waiting
        time are not.
      </p>
      {error !== null && data === undefined && (
        <ErrorMessage title="Could not read the channels" error={error} onRetry={() => void refetch()} />
      )}
      {error === null && data === undefined && (
        <div className={styles.loading}>
          <Skeleton height={44} />
        </div>
      )}
      {channels.length > 0 && (
        <ul className={styles.list} aria-label="Alert channels">
          {channels.map((channel) => (
            <Channel
              key={channel.id}
              channel={channel}
              onChanged={refresh}
              onEdit={() => setEditing(channel)}
              onRemove={() => setRemoving(channel)}
            />
          ))}
        </ul>
      )}
      {editing !== null && data !== undefined && (
        <ChannelDialog
          entity={entity}
          project={project}
          channel={editing === 'new' ? null : editing}
          mailFrom={data.mail_from}
          onSaved={() => {
            setEditing(null)
            void refresh()
          }}
          onClose={() => setEditing(null)}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title="Remove channel"
          action="Remove channel"
          busy={remove.isPending}
          error={remove.error === null ? null : errorText(remove.error)}
          onClose={() => setRemoving(null)}
          onConfirm={() => remove.mutate(removing.id)}
        >
          No more alerts are sent to <strong>{removing.name}</strong>; those that wait are dropped. What was sent stays
          in the feeds.
        </ConfirmDialog>
      )}
    </Panel>
  )
}

interface ChannelProps {
  channel: AlertChannel
  onChanged: () => Promise<void>
  onEdit: () => void
  onRemove: () => void
}

function Channel({ channel, onChanged, onEdit, onRemove }: ChannelProps) {
  const { entity, id } = channel
  const test = useMutation({
    mutationFn: () => sendJson<AlertChannelTest>('POST', api.alertChannelTest(entity, id), {}),
  })
  const update = useMutation({
    mutationFn: (change: UpdateAlertChannelRequest) =>
      sendJson<AlertChannel>('PATCH', api.alertChannel(entity, id), change),
    onSuccess: onChanged,
    onError: (error) => showToast(errorText(error), { kind: 'error' }),
  })
  const level = LOWEST_LEVELS.find(({ value }) => value === channel.level)
  return (
    <li className={styles.item} data-off={!channel.enabled || undefined}>
      <span className={styles.kind}>
        <ChannelIcon kind={channel.kind} size={16} />
      </span>
      <div className={styles.what}>
        <div className={styles.head}>
          <strong className={styles.name}>{channel.name}</strong>
          {!channel.enabled && <span className={styles.off}>off</span>}
        </div>
        <div className={styles.facts}>
          <span className={styles.target}>{channel.target}</span>
          <span>{channel.project ?? 'all projects'}</span>
          <span>{level?.text}</span>
          {channel.signed && <span>signed</span>}
        </div>
        <TestResult result={test.data} error={test.error} />
      </div>
      <Button
        look="ghost"
        disabled={test.isPending}
        aria-label={`Send a test to ${channel.name}`}
        onClick={() => test.mutate()}
      >
        {test.isPending ? 'Sending…' : 'Send test'}
      </Button>
      <Popover
        label={`More for ${channel.name}`}
        role="menu"
        align="end"
        trigger={(props) => (
          <IconButton label={`More for ${channel.name}`} {...props}>
            <Ellipsis size={16} />
          </IconButton>
        )}
      >
        {(close) => {
          const then = (act: () => void) => () => {
            close()
            act()
          }
          return (
            <>
              <MenuItem icon={<Pencil size={14} />} onClick={then(onEdit)}>
                Edit
              </MenuItem>
              <MenuItem icon={<Power size={14} />} onClick={then(() => update.mutate({ enabled: !channel.enabled }))}>
                {channel.enabled ? 'Switch off' : 'Switch on'}
              </MenuItem>
              <MenuLine />
              <MenuItem icon={<Trash2 size={14} />} danger onClick={then(onRemove)}>
                Remove
              </MenuItem>
            </>
          )
        }}
      </Popover>
    </li>
  )
}

/** What became of the test message, in the words that an alert would have got. */
function TestResult({ result, error }: { result: AlertChannelTest | undefined; error: Error | null }) {
  if (error !== null)
    return (
      <p className={styles.result} data-state="failed" role="status">
        {errorText(error)}
      </p>
    )
  if (result === undefined) return null
  const text =
    result.state === 'sent'
      ? 'The receiver took the test message.'
      : result.state === 'unknown'
        ? `The test message may have arrived: ${result.error}`
        : `The test message was not sent: ${result.error}`
  return (
    <p className={styles.result} data-state={result.state} role="status">
      {text}
    </p>
  )
}
