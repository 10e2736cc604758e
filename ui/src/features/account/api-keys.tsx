import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sendJson } from '~/api/client'
import { apiKeysQuery } from '~/api/queries'
import type { ApiKey, CreatedApiKey } from '~/api/types'
import { NewKeyDialog } from '~/features/account/new-key-dialog'
import { useNow } from '~/hooks/use-now'
import { formatDate, formatRelative } from '~/lib/format-time'
import { api } from '~/lib/path-builder'
import { Button } from '~/ui/button'
import { ConfirmDialog } from '~/ui/dialog'
import { TextInput } from '~/ui/field'
import { ErrorMessage, errorText } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './account.module.css'

/** The caller's keys: made, shown once, revoked. */
export function ApiKeys() {
  const queries = useQueryClient()
  const now = useNow()
  const { data, error } = useQuery(apiKeysQuery())
  const [secret, setSecret] = useState<string | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const refresh = () => queries.invalidateQueries({ queryKey: apiKeysQuery().queryKey })
  const create = useMutation({
    mutationFn: (label: string) => sendJson<CreatedApiKey>('POST', api.apiKeys(), { label }),
    onSuccess: (created) => {
      setSecret(created.secret)
      void refresh()
    },
  })
  const revoke = useMutation({
    mutationFn: (id: string) => sendJson<void>('DELETE', api.apiKey(id)),
    onSuccess: () => {
      setRevoking(null)
      void refresh()
    },
  })
  return (
    <Panel title="API keys">
      <p className={styles.text}>
        Training processes send with a key: set STEPLOG_API_KEY, or pass it to steplog login.
      </p>
      {error !== null && data === undefined && <ErrorMessage title="Could not read the keys" error={error} />}
      <ul className={styles.list}>
        {data?.api_keys.map((key) => (
          <li key={key.id} className={styles.item}>
            <span className={styles.name}>{key.label || 'unnamed'}</span>
            <code className={styles.quiet}>steplog-{key.id}…</code>
            <span className={styles.quiet}>
              made {formatDate(key.created_at)} ·{' '}
              {key.last_used_at === null ? 'never used' : `used ${formatRelative(key.last_used_at, now)}`}
            </span>
            <Button look="ghost" aria-label={`Revoke ${key.label || key.id}`} onClick={() => setRevoking(key)}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          create.mutate(String(new FormData(form).get('label')), { onSuccess: () => form.reset() })
        }}
      >
        <TextInput name="label" aria-label="Label of the new key" placeholder="What is the key for?" maxLength={64} />
        <Button look="primary" type="submit" disabled={create.isPending}>
          Create key
        </Button>
      </form>
      {create.error !== null && <p className={styles.error}>{errorText(create.error)}</p>}
      {secret !== null && <NewKeyDialog secret={secret} onClose={() => setSecret(null)} />}
      {revoking !== null && (
        <ConfirmDialog
          title="Revoke API key"
          action="Revoke key"
          busy={revoke.isPending}
          error={revoke.error === null ? null : errorText(revoke.error)}
          onClose={() => setRevoking(null)}
          onConfirm={() => revoke.mutate(revoking.id)}
        >
          Processes that send with <strong>{revoking.label || revoking.id}</strong> will be refused from now on. What
          they log stays in their journals.
        </ConfirmDialog>
      )}
    </Panel>
  )
}
