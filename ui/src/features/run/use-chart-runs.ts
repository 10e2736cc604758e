import { useMemo } from 'react'
import type { Run } from '~/api/types'
import { paletteColor } from '~/charts/palette'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { slotOfRun } from '~/features/runs/use-run-colors'
import { useDark } from '~/hooks/use-theme'
import { projectPath, runPath } from '~/lib/path-builder'

/** One run as charts take it, in the colour that it has everywhere; `run` is what is known of it so far. */
export function useChartRuns(entity: string, project: string, id: string, run: Run | undefined): ChartRuns {
  const dark = useDark()
  const live = run?.state === 'running'
  const name = run?.name
  const createdAt = run?.created_at ?? 0
  const forkStep = run?.fork_from?.step ?? null
  return useMemo(() => {
    const path = runPath(entity, project, id)
    const color = paletteColor(slotOfRun(projectPath(entity, project), id), dark)
    return {
      project: projectPath(entity, project),
      settled: live ? [] : [path],
      live: live ? [path] : [],
      looks: new Map([[path, { name: name ?? id, color, createdAt, forkStep }]]),
    }
  }, [entity, project, id, dark, live, name, createdAt, forkStep])
}
