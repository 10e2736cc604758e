import type { ArtifactsEvent, RunChange, RunsEvent } from '~/api/types'
import { projectPath } from '~/lib/path-builder'

/** What came since the last time that the page caught up. */
export interface Pending {
  /** The last change of each run, by path. */
  changes: Map<string, RunChange>
  /** Projects of which some artifact changed, by path. */
  artifacts: ReadonlySet<string>
  /** Everything must be read again. */
  resync: boolean
}

export const NOTHING_PENDING: Pending = { changes: new Map(), artifacts: new Set(), resync: false }

/** Later values win, but what has to be read again adds up. */
export function addEvent(pending: Pending, event: RunsEvent): Pending {
  const changes = new Map(pending.changes)
  for (const change of event.runs) {
    const before = changes.get(change.path)
    changes.set(change.path, {
      ...change,
      rows: change.rows || (before?.rows ?? false),
      keys: change.keys || (before?.keys ?? false),
      files: change.files || (before?.files ?? false),
      alerts: change.alerts || (before?.alerts ?? false),
      console: change.console || (before?.console ?? false),
      system: change.system || (before?.system ?? false),
      details: change.details || (before?.details ?? false),
    })
  }
  return { ...pending, changes }
}

export function addArtifactsEvent(pending: Pending, event: ArtifactsEvent): Pending {
  const projects = event.collections.map(({ entity, project }) => projectPath(entity, project))
  return { ...pending, artifacts: new Set([...pending.artifacts, ...projects]) }
}

export function addResync(pending: Pending): Pending {
  return { ...pending, resync: true }
}

/** What of the page is out of date. */
export interface Outdated {
  /** Runs whose rows came. */
  rows: Set<string>
  /** Runs with a new key. */
  keys: Set<string>
  /** Runs with a file that came, changed or went. */
  files: Set<string>
  /** Runs that told people something. */
  alerts: Set<string>
  /** Runs whose processes printed something. */
  console: Set<string>
  /** Runs whose machines were measured. */
  system: Set<string>
  /** Runs that are new, changed or gone: lists must be read again. */
  details: Set<string>
}

export function outdated(pending: Pending): Outdated {
  const result: Outdated = {
    rows: new Set(),
    keys: new Set(),
    files: new Set(),
    alerts: new Set(),
    console: new Set(),
    system: new Set(),
    details: new Set(),
  }
  for (const [path, change] of pending.changes) {
    if (change.deleted) {
      result.details.add(path)
      continue
    }
    if (change.rows) result.rows.add(path)
    if (change.keys) result.keys.add(path)
    if (change.files) result.files.add(path)
    if (change.alerts) result.alerts.add(path)
    if (change.console) result.console.add(path)
    if (change.system) result.system.add(path)
    if (change.details) result.details.add(path)
  }
  return result
}
