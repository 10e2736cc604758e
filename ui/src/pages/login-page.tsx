import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { sendJson } from '~/api/client'
import { sessionQuery } from '~/api/queries'
import type { Session } from '~/api/types'
import { useTitle } from '~/hooks/use-title'
import { api } from '~/lib/path-builder'
import type { SearchParams } from '~/lib/search-params'
import { Button } from '~/ui/button'
import { Field } from '~/ui/field'
import { Logo } from '~/ui/logo'
import { errorText } from '~/ui/message'
import styles from './login-page.module.css'

/** Only paths of this site: a link must not lead a fresh session elsewhere. */
function safeNext(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/'
}

export function LoginPage() {
  const search = useSearch({ strict: false }) as SearchParams
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  useTitle('Log in')
  const logIn = async (form: FormData) => {
    setBusy(true)
    setError(null)
    try {
      const body = { name: form.get('name'), password: form.get('password') }
      const session = await sendJson<Session>('POST', api.session(), body)
      queries.clear()
      queries.setQueryData(sessionQuery().queryKey, session)
      await navigate({ href: safeNext(search.next) })
    } catch (refused) {
      setError(errorText(refused))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className={styles.page}>
      <form
        className={styles.form}
        aria-label="Log in"
        onSubmit={(event) => {
          event.preventDefault()
          void logIn(new FormData(event.currentTarget))
        }}
      >
        <Logo size={36} />
        <h1>Log in to steplog</h1>
        <Field label="Name" name="name" autoComplete="username" autoFocus required />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required />
        {error !== null && (
          <p className={styles.error} role="alert">
            {error}
          </p>
        )}
        <Button look="primary" type="submit" disabled={busy} className={styles.submit}>
          Log in
        </Button>
      </form>
    </div>
  )
}
