import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useRef } from 'react'
import { decodeView, encodeView, type WorkspaceView } from '~/features/workspace/workspace-view'
import type { SearchParams } from '~/lib/search-params'

/** The workspace as the address says it, and how to change it. */
export function useWorkspaceView(): [WorkspaceView, (part: Partial<WorkspaceView>) => void] {
  const search = useSearch({ strict: false }) as SearchParams
  const navigate = useNavigate()
  const view = useMemo(() => decodeView(search), [search])
  const latest = useRef(view)
  latest.current = view
  const change = useCallback(
    (part: Partial<WorkspaceView>) => {
      const next = { ...latest.current, ...part }
      latest.current = next
      // Only what somebody would want to go back from is a step of the history.
      const step = part.mode !== undefined || part.chart?.zoom !== undefined
      void navigate({ to: '.', search: encodeView(next), replace: !step })
    },
    [navigate],
  )
  return [view, change]
}
