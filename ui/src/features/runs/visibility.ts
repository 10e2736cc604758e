import { MAX_TOP, type WorkspaceView } from '~/features/workspace/workspace-view'

type Visibility = Pick<WorkspaceView, 'top' | 'show' | 'hide'>

/** Puts one run on the charts or takes it off, whatever put it there. */
export function toggleRun(view: Visibility, id: string, visible: boolean): Visibility {
  if (visible)
    return { top: view.top, show: view.show.filter((each) => each !== id), hide: [...without(view.hide, id), id] }
  return { top: view.top, show: [...without(view.show, id), id], hide: without(view.hide, id) }
}

export function showOnly(ids: readonly string[]): Visibility {
  return { top: 0, show: [...ids], hide: [] }
}

export function showTop(top: number): Visibility {
  return { top: Math.min(top, MAX_TOP), show: [], hide: [] }
}

/** Shows a set of runs besides what is shown, or hides it. */
export function toggleRuns(view: Visibility, ids: readonly string[], visible: boolean): Visibility {
  const set = new Set(ids)
  const show = view.show.filter((id) => !set.has(id))
  const hide = view.hide.filter((id) => !set.has(id))
  return visible ? { top: view.top, show: [...show, ...ids], hide } : { top: view.top, show, hide: [...hide, ...ids] }
}

function without(list: readonly string[], id: string): string[] {
  return list.filter((each) => each !== id)
}
