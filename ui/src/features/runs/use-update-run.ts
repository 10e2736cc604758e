import { useMutation, useQueryClient } from '@tanstack/react-query'
import { sendJson } from '~/api/client'
import { keyOf, runQuery } from '~/api/queries'
import type { Run, RunDetail, UpdateRunRequest } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'
import { errorText } from '~/ui/message'
import { showToast } from '~/ui/toast-store'

/** Changes what people may change of a run; the answer goes straight into what is shown. */
export function useUpdateRun(run: Pick<Run, 'entity' | 'project' | 'id'>) {
  const queries = useQueryClient()
  const { entity, project, id } = run
  return useMutation({
    mutationFn: (body: UpdateRunRequest) => sendJson<RunDetail>('PATCH', api.run(entity, project, id), body),
    onSuccess: (detail, body) => {
      queries.setQueryData(runQuery(entity, project, id).queryKey, detail)
      void queries.invalidateQueries({ queryKey: keyOf.runs(projectPath(entity, project)) })
      if (body.stop) showToast('Asked the training process to stop.')
    },
    onError: (error) => showToast(`Could not change the run: ${errorText(error)}`, { kind: 'error' }),
  })
}

export function useDeleteRun(run: Pick<Run, 'entity' | 'project' | 'id'>) {
  const queries = useQueryClient()
  const { entity, project, id } = run
  return useMutation({
    mutationFn: () => sendJson<void>('DELETE', api.run(entity, project, id)),
    onSuccess: () => {
      const path = projectPath(entity, project)
      queries.removeQueries({ queryKey: runQuery(entity, project, id).queryKey })
      void queries.invalidateQueries({ queryKey: keyOf.runs(path) })
      void queries.invalidateQueries({ queryKey: keyOf.keys(path) })
      void queries.invalidateQueries({ queryKey: ['projects'] })
    },
  })
}
