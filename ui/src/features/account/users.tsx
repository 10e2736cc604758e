import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sendJson } from '~/api/client'
import { usersQuery } from '~/api/queries'
import type { User } from '~/api/types'
import { formatDate } from '~/lib/format-time'
import { api } from '~/lib/path-builder'
import { Button } from '~/ui/button'
import { ConfirmDialog } from '~/ui/dialog'
import { Checkbox, TextInput } from '~/ui/field'
import { ErrorMessage, errorText } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './account.module.css'

/** Accounts, for admins. */
export function Users({ self }: { self: string }) {
  const queries = useQueryClient()
  const { data, error } = useQuery(usersQuery())
  const [removing, setRemoving] = useState<User | null>(null)
  const refresh = () => queries.invalidateQueries({ queryKey: usersQuery().queryKey })
  const create = useMutation({
    mutationFn: (body: { name: string; password: string; admin: boolean }) => sendJson<User>('POST', api.users(), body),
    onSuccess: refresh,
  })
  const remove = useMutation({
    mutationFn: (name: string) => sendJson<void>('DELETE', api.user(name)),
    onSuccess: () => {
      setRemoving(null)
      void refresh()
    },
  })
  return (
    <Panel title="Users">
      {error !== null && data === undefined && <ErrorMessage title="Could not read the users" error={error} />}
      <ul className={styles.list}>
        {data?.users.map((user) => (
          <li key={user.name} className={styles.item}>
            <span className={styles.name}>{user.name}</span>
            <span className={styles.quiet}>{user.admin ? 'admin' : ''}</span>
            <span className={styles.quiet}>since {formatDate(user.created_at)}</span>
            <Button
              look="ghost"
              aria-label={`Remove ${user.name}`}
              disabled={user.name === self}
              onClick={() => setRemoving(user)}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          const values = new FormData(form)
          create.mutate(
            {
              name: String(values.get('name')).trim(),
              password: String(values.get('password')),
              admin: values.get('admin') === 'on',
            },
            { onSuccess: () => form.reset() },
          )
        }}
      >
        <TextInput
          name="name"
          aria-label="Name of the new user"
          placeholder="name"
          pattern="[a-z0-9_\-]{1,64}"
          title="1 to 64 of a–z, 0–9, _ and -"
          required
          autoComplete="off"
        />
        <TextInput
          name="password"
          type="password"
          aria-label="Password of the new user"
          placeholder="password, 8 or more"
          minLength={8}
          required
          autoComplete="new-password"
        />
        <Checkbox name="admin">Admin</Checkbox>
        <Button look="primary" type="submit" disabled={create.isPending}>
          Add user
        </Button>
      </form>
      {create.error !== null && <p className={styles.error}>{errorText(create.error)}</p>}
      {removing !== null && (
        <ConfirmDialog
          title="Remove user"
          action="Remove user"
          busy={remove.isPending}
          error={remove.error === null ? null : errorText(remove.error)}
          onClose={() => setRemoving(null)}
          onConfirm={() => remove.mutate(removing.name)}
        >
          <strong>{removing.name}</strong> will not be able to log in any more, and their API keys stop working.
        </ConfirmDialog>
      )}
    </Panel>
  )
}
