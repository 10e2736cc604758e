import { type InfiniteData, infiniteQueryOptions } from '@tanstack/react-query'
import { request } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { JsonObject, Run } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

export interface HistoryPage {
  rows: JsonObject[]
  /** Where the next page begins; `null` at the end. */
  nextStep: number | null
}

const PAGE_ROWS = 300

/** Reads JSON lines up to `limit` of them and then lets the server stop: a history can be far longer than memory. */
export async function readLines(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<{ rows: JsonObject[]; more: boolean }> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const rows: JsonObject[] = []
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
    const lines = rest.split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    for (const line of lines) {
      if (line.trim() === '') continue
      if (rows.length === limit) {
        await reader.cancel()
        return { rows, more: true }
      }
      rows.push(JSON.parse(line) as JsonObject)
    }
    if (done) return { rows, more: false }
  }
}

/** The step of a row, under either of the names a row may have for it. */
export function stepOf(row: JsonObject): number {
  return Number(row._step ?? row.step)
}

/**
 * The pages with what came since: `fresh` begins at the last row that was known, which may have got more values meanwhile.
 * It becomes part of the last page, so that following a run makes no page for each row.
 */
export function appendRows<P>(
  data: InfiniteData<HistoryPage, P>,
  { rows: fresh, nextStep }: HistoryPage,
): InfiniteData<HistoryPage, P> {
  const last = data.pages.at(-1)
  if (last === undefined || fresh.length === 0) return data
  const from = stepOf(fresh[0])
  const rows = [...last.rows.filter((row) => stepOf(row) < from), ...fresh]
  return { ...data, pages: [...data.pages.slice(0, -1), { rows, nextStep }] }
}

/** Up to 300 rows from `fromStep` on; from the first for `null`. */
export async function readPage(
  run: Run,
  keys: readonly string[],
  fromStep: number | null,
  signal?: AbortSignal,
): Promise<HistoryPage> {
  const params: Record<string, string> = { format: 'jsonl', keys: JSON.stringify(keys) }
  if (fromStep !== null) params.from_step = String(fromStep)
  const response = await request(api.history(run.entity, run.project, run.id, params), { signal })
  if (response.body === null) return { rows: [], nextStep: null }
  const { rows, more } = await readLines(response.body, PAGE_ROWS)
  const last = rows.at(-1)
  return { rows, nextStep: more && last !== undefined ? stepOf(last) + 1 : null }
}

export const historyQuery = (run: Run, keys: readonly string[]) =>
  infiniteQueryOptions({
    queryKey: [...keyOf.history(projectPath(run.entity, run.project)), run.id, keys],
    queryFn: ({ pageParam, signal }) => readPage(run, keys, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.nextStep ?? undefined,
    enabled: keys.length > 0,
    staleTime: 10_000,
  })
