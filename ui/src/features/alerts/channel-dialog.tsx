import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { sendJson } from '~/api/client'
import { projectsQuery } from '~/api/queries'
import type {
  AlertChannel,
  AlertChannelKind,
  AlertLevel,
  CreateAlertChannelRequest,
  UpdateAlertChannelRequest,
} from '~/api/types'
import { CHANNEL_KINDS } from '~/features/alerts/channel-kind'
import { LOWEST_LEVELS } from '~/features/alerts/lowest-levels'
import { newSecret } from '~/features/alerts/new-secret'
import { api } from '~/lib/path-builder'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import { Field, Segmented, TextInput } from '~/ui/field'
import { errorText } from '~/ui/message'
import styles from './channel-dialog.module.css'

interface ChannelDialogProps {
  entity: string
  /** The project that the reader came from. */
  project: string | null
  /** The channel to change; `null` for a new one. */
  channel: AlertChannel | null
  /** The sender of mails; `null` where the server has no mail server. */
  mailFrom: string | null
  onSaved: () => void
  onClose: () => void
}

const TARGETS: Record<AlertChannelKind, { label: string; placeholder: string; hint: string }> = {
  email: { label: 'Address', placeholder: 'team@example.org', hint: 'One address; a list is a channel for each.' },
  slack: {
    label: 'Webhook URL',
    placeholder: 'https://hooks.slack.com/services/…',
    hint: 'Also takes incoming webhooks of Mattermost, and those of Discord with /slack at their end.',
  },
  webhook: {
    label: 'URL',
    placeholder: 'https://example.org/alerts',
    hint: 'Gets a POST with a JSON object for each alert.',
  },
}

/** Asks for all that a channel needs. What it sends to is a secret, so that a change begins with an empty field. */
export function ChannelDialog({ entity, project, channel, mailFrom, onSaved, onClose }: ChannelDialogProps) {
  const [kind, setKind] = useState<AlertChannelKind>(channel?.kind ?? (mailFrom === null ? 'slack' : 'email'))
  const [level, setLevel] = useState<AlertLevel>(channel?.level ?? 'INFO')
  const [secret, setSecret] = useState('')
  const [unsigned, setUnsigned] = useState(false)
  const save = useMutation({
    mutationFn: (request: CreateAlertChannelRequest | UpdateAlertChannelRequest) =>
      channel === null
        ? sendJson<AlertChannel>('POST', api.alertChannels(entity), request)
        : sendJson<AlertChannel>('PATCH', api.alertChannel(entity, channel.id), request),
    onSuccess: onSaved,
  })
  const target = TARGETS[kind]
  const noMail = kind === 'email' && mailFrom === null
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const values = new FormData(event.currentTarget)
    const text = (name: string) => String(values.get(name) ?? '').trim()
    const common = { name: text('name'), level }
    if (channel === null) {
      save.mutate({
        ...common,
        kind,
        target: text('target'),
        project: text('project') || null,
        secret: kind === 'webhook' && secret !== '' ? secret : null,
      })
    } else {
      const change: UpdateAlertChannelRequest = common
      if (text('target') !== '') change.target = text('target')
      if (unsigned || secret !== '') change.secret = unsigned ? '' : secret
      save.mutate(change)
    }
  }
  const title = channel === null ? 'Add alert channel' : 'Edit alert channel'
  return (
    <Dialog title={title} label={title} onClose={onClose}>
      <form className={styles.form} onSubmit={submit}>
        {channel === null && (
          <Segmented
            label="How to send"
            value={kind}
            options={CHANNEL_KINDS.map(({ value, label, Icon }) => ({
              value,
              title: label,
              label: (
                <>
                  <Icon size={14} /> {label}
                </>
              ),
            }))}
            onChange={setKind}
          />
        )}
        {noMail ? (
          <p className={styles.notice}>
            This server has no mail server to send with. Whoever runs it can give it one:{' '}
            <code>steplog serve --smtp-url URL</code>
          </p>
        ) : (
          <>
            <Field
              label="Name"
              name="name"
              placeholder="the team"
              defaultValue={channel?.name}
              maxLength={64}
              required
              autoComplete="off"
            />
            <Field
              key={kind}
              label={target.label}
              name="target"
              type={kind === 'email' ? 'email' : 'url'}
              placeholder={channel === null ? target.placeholder : `stays ${channel.target}`}
              hint={kind === 'email' && mailFrom !== null ? `${target.hint} Mails come from ${mailFrom}.` : target.hint}
              required={channel === null}
              maxLength={2048}
              autoComplete="off"
              spellCheck={false}
            />
            {kind === 'webhook' && (
              <Secret
                value={secret}
                isSigned={channel?.signed ?? false}
                unsigned={unsigned}
                onChange={setSecret}
                onUnsign={setUnsigned}
              />
            )}
            {channel === null && <ProjectField entity={entity} project={project} />}
            <div className={styles.group}>
              <span className={styles.label}>Which alerts</span>
              <Segmented
                label="Which alerts"
                value={level}
                options={LOWEST_LEVELS.map(({ value, label }) => ({ value, label }))}
                onChange={setLevel}
              />
            </div>
          </>
        )}
        {save.error !== null && (
          <p className={styles.error} role="alert">
            {errorText(save.error)}
          </p>
        )}
        <footer className={styles.footer}>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={save.isPending || noMail}>
            {channel === null ? 'Add channel' : 'Save'}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

/** A project of the entity, or any that is still to come; empty for all. */
function ProjectField({ entity, project }: { entity: string; project: string | null }) {
  const names = useId()
  const { data } = useQuery(projectsQuery())
  return (
    <>
      <Field
        label="Project"
        name="project"
        placeholder="all projects"
        hint="Leave it empty to send the alerts of every project."
        defaultValue={project ?? ''}
        list={names}
        maxLength={128}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id={names}>
        {data?.projects
          .filter((each) => each.entity === entity)
          .map(({ name }) => (
            <option key={name} value={name} />
          ))}
      </datalist>
    </>
  )
}

interface SecretProps {
  value: string
  isSigned: boolean
  unsigned: boolean
  onChange: (secret: string) => void
  onUnsign: (unsigned: boolean) => void
}

/** What messages are signed with: seen only while it is entered. */
function Secret({ value, isSigned, unsigned, onChange, onUnsign }: SecretProps) {
  return (
    <div className={styles.group}>
      <span className={styles.label}>Secret</span>
      <div className={styles.secret}>
        <TextInput
          aria-label="Secret"
          value={value}
          placeholder={unsigned ? 'not signed any more' : isSigned ? 'stays as it is' : 'not signed'}
          disabled={unsigned}
          minLength={16}
          maxLength={256}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
        <Button disabled={unsigned} onClick={() => onChange(newSecret())}>
          Generate
        </Button>
        {isSigned && (
          <Button
            onClick={() => {
              onChange('')
              onUnsign(!unsigned)
            }}
          >
            {unsigned ? 'Keep' : 'Clear'}
          </Button>
        )}
      </div>
      <span className={styles.hint}>
        Optional. Signs each message, so that the receiver knows that it comes from here. It is not shown again.
      </span>
    </div>
  )
}
