import { type QueryClient, queryOptions } from '@tanstack/react-query'
import { sendJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { ConsoleLineList, ConsoleOutput, ConsoleRequest, Run } from '~/api/types'
import { isSettled, PAGE_LINES, sizeOf } from '~/features/logs/console-pages'
import type { LogsView } from '~/features/logs/logs-view'
import { api, projectPath, runPath } from '~/lib/path-builder'

/** Which lines of a run, and what is searched for among them. */
export interface LineSelection {
  stream: string | null
  output: ConsoleOutput | null
  search: string | null
  regex: boolean
  case_sensitive: boolean
}

/** The lines that a view is about; with `found`, only those that its search finds. */
export function selectionOf(view: LogsView, found: boolean): LineSelection {
  const searches = found && view.search !== ''
  return {
    stream: view.stream,
    output: view.output,
    search: searches ? view.search : null,
    regex: searches && view.regex,
    case_sensitive: searches && view.caseSensitive,
  }
}

/** Pages that somebody only scrolls past are not asked for. */
const PASSING_MILLIS = 60
/** Pages kept that nobody looks at, by their number and by their characters. */
const KEPT_PAGES = 64
const KEPT_CHARACTERS = 32_000_000

function prefixOf(run: Run) {
  return [...keyOf.console(projectPath(run.entity, run.project)), run.id] as const
}

/** Lines from one place on. An answer has fewer than were asked for where they are very long: then the rest is read too. */
async function readLines(
  run: Run,
  selection: LineSelection,
  from: number,
  limit: number,
  signal?: AbortSignal,
): Promise<ConsoleLineList> {
  const read = (start: number, count: number) => {
    const path = runPath(run.entity, run.project, run.id)
    const request: ConsoleRequest = { run: path, ...selection, from: start, limit: count }
    return sendJson<ConsoleLineList>('POST', api.consoleQuery(), request, signal)
  }
  let answer = await read(from, limit)
  for (;;) {
    const missing = Math.min(limit, answer.total - answer.from) - answer.lines.length
    if (missing <= 0 || sizeOf(answer) > KEPT_CHARACTERS) return answer
    const next = await read(answer.from + answer.lines.length, missing)
    if (next.lines.length === 0) return answer
    answer = { ...next, from: answer.from, lines: [...answer.lines, ...next.lines] }
  }
}

/** The last lines, and how many there are: what is read again whenever a running process printed. */
export const tailQuery = (run: Run, selection: LineSelection) =>
  queryOptions({
    queryKey: [...prefixOf(run), 'tail', selection] as const,
    queryFn: ({ signal }) => readLines(run, selection, -PAGE_LINES, PAGE_LINES, signal),
    gcTime: 30_000,
  })

/** One page of lines. */
export const pageQuery = (run: Run, selection: LineSelection, page: number) =>
  queryOptions({
    queryKey: [...prefixOf(run), 'page', selection, page] as const,
    queryFn: async ({ signal, client }) => {
      await passing(signal)
      dropPages(client, run)
      return readLines(run, selection, page * PAGE_LINES, PAGE_LINES, signal)
    },
    // Live events say when a page is out of date.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * 60_000,
  })

/** Lines from one place on, however many: for the clipboard. */
export function readRange(run: Run, selection: LineSelection, from: number, limit: number): Promise<ConsoleLineList> {
  return readLines(run, selection, from, limit)
}

function passing(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PASSING_MILLIS)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}

/** Lets go of the pages that were looked at longest ago, so that a log of any length can be scrolled through. */
function dropPages(queries: QueryClient, run: Run): void {
  const pages = queries
    .getQueryCache()
    .findAll({ queryKey: [...prefixOf(run), 'page'] })
    .filter((query) => query.getObserversCount() === 0 && query.state.data !== undefined)
    .sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
  let characters = 0
  pages.forEach((query, index) => {
    characters += sizeOf(query.state.data as ConsoleLineList)
    if (index >= KEPT_PAGES || characters > KEPT_CHARACTERS) queries.getQueryCache().remove(query)
  })
}

/** Whether what a query of the console answered may be another answer once more was printed. */
export function isOutdated(queryKey: readonly unknown[], data: unknown): boolean {
  if (queryKey[3] !== 'page' || data === undefined) return true
  const selection = queryKey[4] as LineSelection
  const answer = data as ConsoleLineList
  return selection.search !== null || !isSettled(answer)
}
