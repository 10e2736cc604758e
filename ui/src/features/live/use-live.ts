import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { LiveSession } from '~/features/live/live-session'

/** Keeps what the page shows of a project (or of the list of projects, for `null`) up to date while it is open. */
export function useLive(project: string | null): void {
  const queries = useQueryClient()
  useEffect(() => {
    const session = new LiveSession(queries, project)
    return () => session.close()
  }, [queries, project])
}
