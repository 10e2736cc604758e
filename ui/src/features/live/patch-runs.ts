import type { InfiniteData } from '@tanstack/react-query'
import type { Run, RunChange, RunDetail, RunList } from '~/api/types'
import { runPath } from '~/lib/path-builder'

/** Brings state, last step and time of runs up to date in what was fetched, without asking the server. */
export function patchRun(run: Run, changes: ReadonlyMap<string, RunChange>): Run {
  const change = changes.get(runPath(run.entity, run.project, run.id))
  if (change === undefined || change.deleted) return run
  const same = run.state === change.state && run.last_step === change.last_step && run.updated_at === change.updated_at
  if (same) return run
  return {
    ...run,
    state: change.state,
    last_step: change.last_step,
    updated_at: change.updated_at,
    duration: change.state === 'running' ? Math.max(run.duration, change.updated_at - run.created_at) : run.duration,
  }
}

function patchList(list: RunList, changes: ReadonlyMap<string, RunChange>): RunList {
  const runs = list.runs.map((run) => patchRun(run, changes))
  return runs.every((run, index) => run === list.runs[index]) ? list : { ...list, runs }
}

type RunsData = RunList | InfiniteData<RunList> | undefined

export function patchRunsData(data: RunsData, changes: ReadonlyMap<string, RunChange>): RunsData {
  if (data === undefined) return data
  if (!('pages' in data)) return patchList(data, changes)
  const pages = data.pages.map((page) => patchList(page, changes))
  return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages }
}

export function patchDetail(data: RunDetail | undefined, changes: ReadonlyMap<string, RunChange>) {
  if (data === undefined) return data
  const run = patchRun(data.run, changes)
  return run === data.run ? data : { ...data, run }
}
