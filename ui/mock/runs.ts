import type { JsonValue, KeyList, MetricKey, Project, Run, RunGroup, RunList, RunsRequest } from '../src/api/types.ts'
import { definitionOf } from '../src/features/run/metric-definitions.ts'
import { ENTITY, flatten, HISTOGRAM_KEYS, type MockData, type MockRun, TEXT_KEY } from './data.ts'
import { parseFilter } from './filter.ts'

export function queryRuns(data: MockData, request: RunsRequest): RunList {
  const name = request.project.split('/')[1]
  let list = [...(data.runs.get(name) ?? [])]
  if (request.filter) {
    const matches = parseFilter(request.filter)
    list = list.filter((mock) => matches((field) => data.value(mock, field)))
  }
  if (request.search) {
    const wanted = request.search.toLowerCase()
    list = list.filter(({ run }) =>
      [run.name, run.id, run.group ?? '', run.notes ?? '', ...run.tags].some((text) =>
        text.toLowerCase().includes(wanted),
      ),
    )
  }
  if (request.group_by) {
    const groups = groupRuns(data, list, request.group_by)
    return { runs: [], groups, total: groups.length, next_cursor: null }
  }
  list.sort((a, b) => b.run.created_at - a.run.created_at)
  for (const { field, descending } of [...(request.sort ?? [])].reverse()) {
    list.sort((a, b) => compareValues(data.value(a, field), data.value(b, field), descending ?? false))
  }
  const start = Number(request.cursor ?? 0)
  const limit = request.limit ?? 100
  const page = list.slice(start, start + limit)
  const more = start + limit < list.length
  const runs = page.map((mock) => ({ ...mock.run, values: valuesOf(data, mock, request.columns ?? []) }))
  return { runs, groups: [], total: list.length, next_cursor: more ? String(start + limit) : null }
}

function valuesOf(data: MockData, mock: MockRun, columns: readonly string[]): Run['values'] {
  const values: Run['values'] = {}
  for (const column of columns) {
    if (column === 'config.*') Object.assign(values, Object.fromEntries(flatten(mock.config, 'config')))
    const value = data.value(mock, column)
    if (value !== undefined && /^(config|summary)\./.test(column)) values[column] = value
  }
  return values
}

function compareValues(a: JsonValue | undefined, b: JsonValue | undefined, descending: boolean): number {
  if (a === undefined || a === null) return b === undefined || b === null ? 0 : 1
  if (b === undefined || b === null) return -1
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0
  return descending ? -order : order
}

function groupRuns(data: MockData, list: readonly MockRun[], field: string): RunGroup[] {
  const groups = new Map<string, RunGroup>()
  for (const mock of list) {
    const value = data.value(mock, field) ?? null
    const group = groups.get(JSON.stringify(value)) ?? { value, run_count: 0, running_count: 0 }
    group.run_count += 1
    if (mock.run.state === 'running') group.running_count += 1
    groups.set(JSON.stringify(value), group)
  }
  return [...groups.values()].sort((a, b) => b.run_count - a.run_count)
}

export function listProjects(data: MockData): Project[] {
  return [...data.runs]
    .map(([name, runs]) => ({
      entity: ENTITY,
      name,
      run_count: runs.length,
      running_count: runs.filter(({ run }) => run.state === 'running').length,
      created_at: Math.min(...runs.map(({ run }) => run.created_at)),
      updated_at: Math.max(...runs.map(({ run }) => run.updated_at)),
    }))
    .sort((a, b) => b.updated_at - a.updated_at)
}

export function listKeys(data: MockData, project: string, ids: readonly string[] | null): KeyList {
  const keys = new Map<string, MetricKey>()
  const wanted = ids === null ? null : new Set(ids)
  for (const mock of data.runs.get(project.split('/')[1]) ?? []) {
    if (wanted !== null && !wanted.has(mock.run.id)) continue
    for (const key of [...mock.keys, ...mock.systemKeys]) {
      const definition = definitionOf(mock.metrics, key)
      const known = keys.get(key) ?? {
        key,
        kind: key === TEXT_KEY || HISTOGRAM_KEYS.includes(key) ? 'other' : 'number',
        run_count: 0,
        point_count: 0,
        hidden: definition?.hidden ?? false,
        step_metric: definition?.step_metric ?? null,
      }
      known.run_count += 1
      known.point_count += mock.length
      keys.set(key, known)
    }
  }
  return { keys: [...keys.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) }
}
