/** Every address the UI links to or fetches, in one place. */

const API = '/api/v1'

function join(...parts: string[]): string {
  return parts.map(encodeURIComponent).join('/')
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
  file: (entity: string, project: string, id: string, path: string, params: Record<string, string> = {}) => {
    const query = new URLSearchParams(params).toString()
    const url = `${API}/runs/${join(entity, project, id)}/files/${join(...path.split('/'))}`
    return query === '' ? url : `${url}?${query}`
  },
  alertsQuery: () => `${API}/alerts/query`,
  alertChannels: (entity: string) => `${API}/alert-channels/${join(entity)}`,
  alertChannel: (entity: string, id: number) => `${API}/alert-channels/${join(entity, String(id))}`,
  alertChannelTest: (entity: string, id: number) => `${API}/alert-channels/${join(entity, String(id))}/test`,
  sendAgain: (entity: string, delivery: number) => `${API}/alert-deliveries/${join(entity, String(delivery))}/send`,
  keysQuery: () => `${API}/keys/query`,
  series: () => `${API}/series`,
  events: (project: string | null) =>
    project === null ? `${API}/events` : `${API}/events?${new URLSearchParams({ project })}`,
}

/** Pages of the UI, for links that the router does not follow. */
export const pagePath = {
  run: (entity: string, project: string, id: string) => `/${join(entity, project)}/runs/${encodeURIComponent(id)}`,
}
