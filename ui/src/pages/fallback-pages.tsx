import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { ErrorMessage, Message } from '~/ui/message'

export function NotFoundPage() {
  return (
    <Message title="There is no such page" icon={<Compass size={20} />}>
      <Link to="/" style={{ color: 'var(--accent)' }}>
        All projects
      </Link>
    </Message>
  )
}

export function FailedPage({ error, reset }: { error: unknown; reset: () => void }) {
  return <ErrorMessage title="This page failed" error={error} onRetry={reset} />
}
