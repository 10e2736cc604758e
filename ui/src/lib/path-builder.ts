import type { ArtifactPlace } from '~/api/types'

/** Every address the UI links to or fetches, in one place. */

const API = '/api/v1'

function join(...parts: string[]): string {
  return parts.map(encodeURIComponent).join('/')
}

function withParams(url: string, params: Record<string, string>): string {
  const query = new URLSearchParams(params).toString()
  return query === '' ? url : `${url}?${query}`
}

/** `entity/project`, as the API names a project. */
export function projectPath(entity: string, project: string): string {
  return `${entity}/${project}`
}

/** `entity/project/id`, as the API names a run. */
export function runPath(entity: string, project: string, id: string): string {
  return `${entity}/${project}/${id}`
}

/** The id at the end of a run's path. */
export function runIdOfPath(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The user or team that the path of a project or run begins with. */
export function entityOfPath(path: string): string {
  return path.slice(0, path.indexOf('/'))
}

export const api = {
  session: () => `${API}/session`,
  users: () => `${API}/users`,
  user: (name: string) => `${API}/users/${join(name)}`,
  apiKeys: () => `${API}/api-keys`,
  apiKey: (id: string) => `${API}/api-keys/${join(id)}`,
  projects: () => `${API}/projects`,
  runsQuery: () => `${API}/runs/query`,
  run: (entity: string, project: string, id: string) => `${API}/runs/${join(entity, project, id)}`,
  history: (entity: string, project: string, id: string, params: Record<string, string>) =>
    `${API}/runs/${join(entity, project, id)}/history?${new URLSearchParams(params)}`,
  files: (entity: string, project: string, id: string, params: Record<string, string>) =>
    `${API}/runs/${join(entity, project, id)}/files?${new URLSearchParams(params)}`,
  /** The content of a file; each part of its path is encoded by itself. */
  file: (entity: string, project: string, id: string, path: string, params: Record<string, string> = {}) =>
    withParams(`${API}/runs/${join(entity, project, id)}/files/${join(...path.split('/'))}`, params),
  consoleQuery: () => `${API}/console/query`,
  /** All that a run printed, as one file. */
  console: (entity: string, project: string, id: string, params: Record<string, string>) =>
    `${API}/runs/${join(entity, project, id)}/console?${new URLSearchParams(params)}`,
  alertsQuery: () => `${API}/alerts/query`,
  alertChannels: (entity: string) => `${API}/alert-channels/${join(entity)}`,
  alertChannel: (entity: string, id: number) => `${API}/alert-channels/${join(entity, String(id))}`,
  alertChannelTest: (entity: string, id: number) => `${API}/alert-channels/${join(entity, String(id))}/test`,
  sendAgain: (entity: string, delivery: number) => `${API}/alert-deliveries/${join(entity, String(delivery))}/send`,
  /** Collections of a project, or of all projects of an entity for `null`. */
  collections: (entity: string, project: string | null, params: Record<string, string> = {}) =>
    withParams(`${API}/artifacts/${project === null ? join(entity) : join(entity, project)}`, params),
  collection: (entity: string, project: string, collection: string) =>
    `${API}/artifacts/${join(entity, project, collection)}`,
  versions: (entity: string, project: string, collection: string, params: Record<string, string> = {}) =>
    withParams(`${API}/artifacts/${join(entity, project, collection)}/versions`, params),
  links: (entity: string, project: string, collection: string) =>
    `${API}/artifacts/${join(entity, project, collection)}/links`,
  /** A version; `tail` names what of it: its entries, runs, lineage, …. */
  version: (
    { entity, project, collection, version }: ArtifactPlace,
    tail: 'entries' | 'runs' | 'lineage' | 'diff' | 'manifest' | 'verify' | '' = '',
    params: Record<string, string> = {},
  ) => {
    const url = `${API}/artifacts/${join(entity, project, collection)}/versions/${join(version)}`
    return withParams(tail === '' ? url : `${url}/${tail}`, params)
  },
  /** The content of a file of a version; each part of its path is encoded by itself. */
  artifactFile: (
    { entity, project, collection, version }: ArtifactPlace,
    path: string,
    params: Record<string, string> = {},
  ) =>
    withParams(
      `${API}/artifacts/${join(entity, project, collection)}/versions/${join(version)}/files/${join(...path.split('/'))}`,
      params,
    ),
  runArtifacts: (entity: string, project: string, id: string) => `${API}/runs/${join(entity, project, id)}/artifacts`,
  keysQuery: () => `${API}/keys/query`,
  series: () => `${API}/series`,
  events: (project: string | null) =>
    project === null ? `${API}/events` : `${API}/events?${new URLSearchParams({ project })}`,
}

/** Pages of the UI, for links that the router does not follow. */
export const pagePath = {
  run: (entity: string, project: string, id: string) => `/${join(entity, project)}/runs/${encodeURIComponent(id)}`,
}
