import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '~/api/queries'

/** Whether the reader may change what belongs to an entity; `false` until it is known. The server decides in the end. */
export function useMayWrite(entity: string): boolean {
  const { data: session } = useQuery(sessionQuery())
  if (session === undefined || session.source === 'folder') return false
  if (!session.login_required) return true
  return session.user !== null && (session.user.admin || session.user.name === entity)
}
