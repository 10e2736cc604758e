import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { ApiError, getJson, sendJson } from '~/api/client'
import type { ApiKeyList, KeyList, ProjectList, RunDetail, RunList, RunsRequest, Session, UserList } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

/** Query keys begin with the noun and then the project, so that live events can invalidate by prefix. */
export const keyOf = {
  runs: (project: string) => ['runs', project] as const,
  run: (project: string) => ['run', project] as const,
  keys: (project: string) => ['keys', project] as const,
  series: (project: string) => ['series', project] as const,
  text: (project: string) => ['text', project] as const,
  history: (project: string) => ['history', project] as const,
  files: (project: string) => ['files', project] as const,
  alerts: (project: string) => ['alerts', project] as const,
  histograms: (project: string) => ['histograms', project] as const,
  console: (project: string) => ['console', project] as const,
  /** All that is known of a project's artifacts: collections, versions, entries, lineage. */
  artifacts: (project: string) => ['artifacts', project] as const,
  /** Lists over all projects of an entity. */
  artifactsOf: (entity: string) => ['artifacts-of', entity] as const,
}

/** The key of all mutations of artifacts. */
export const CHANGE_OF_ARTIFACTS = ['artifacts'] as const

export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => getJson<Session>(api.session(), signal),
    staleTime: 5 * 60_000,
  })

export const projectsQuery = () =>
  queryOptions({
    queryKey: ['projects'],
    queryFn: ({ signal }) => getJson<ProjectList>(api.projects(), signal),
  })

export const runsQuery = (body: RunsRequest) =>
  queryOptions({
    queryKey: [...keyOf.runs(body.project), 'page', body],
    queryFn: ({ signal }) => sendJson<RunList>('POST', api.runsQuery(), body, signal),
    placeholderData: keepPreviousData,
  })

export const runQuery = (entity: string, project: string, id: string) =>
  queryOptions({
    queryKey: [...keyOf.run(projectPath(entity, project)), id],
    queryFn: ({ signal }) => getJson<RunDetail>(api.run(entity, project, id), signal),
  })

export const keysQuery = (project: string, runs: string[] | null) =>
  queryOptions({
    queryKey: [...keyOf.keys(project), runs],
    queryFn: ({ signal }) => sendJson<KeyList>('POST', api.keysQuery(), { project, runs }, signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })

export const usersQuery = () =>
  queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => getJson<UserList>(api.users(), signal) })

export const apiKeysQuery = () =>
  queryOptions({ queryKey: ['api-keys'], queryFn: ({ signal }) => getJson<ApiKeyList>(api.apiKeys(), signal) })

/** What is wrong with the request stays wrong; only an absent server is worth asking again. */
export function shouldRetry(failures: number, error: Error): boolean {
  if (!(error instanceof ApiError)) return failures < 2
  return (error.kind === 'unreachable' || error.kind === 'unavailable') && failures < 2
}
