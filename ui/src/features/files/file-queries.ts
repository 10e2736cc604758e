import { queryOptions } from '@tanstack/react-query'
import { getJson, request } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { FileList, Run, RunFile } from '~/api/types'
import { api, projectPath } from '~/lib/path-builder'

const PAGE_FILES = 10_000
/** More than this is told, not shown. */
export const MAX_FILES = 100_000
/** Where a folder is shown nobody says that a file in it changed. */
const LOOK_MILLIS = 5_000
/** So much of a text is read to show it. */
export const PREVIEW_BYTES = 256 * 1024

export const filesQuery = (run: Run) =>
  queryOptions({
    queryKey: [...keyOf.files(projectPath(run.entity, run.project)), run.id, 'list'],
    queryFn: ({ signal }) => readAll(run, signal),
    refetchInterval: run.state === 'running' ? LOOK_MILLIS : false,
  })

async function readAll(run: Run, signal: AbortSignal): Promise<RunFile[]> {
  const files: RunFile[] = []
  let cursor: string | null = null
  do {
    const params: Record<string, string> = { limit: String(PAGE_FILES) }
    if (cursor !== null) params.cursor = cursor
    const page: FileList = await getJson<FileList>(api.files(run.entity, run.project, run.id, params), signal)
    files.push(...page.files)
    cursor = page.next_cursor ?? null
  } while (cursor !== null && files.length < MAX_FILES)
  return files
}

/** What tells one content of a file from another. */
export function contentTag(file: RunFile): string {
  return file.sha256 ?? `${file.size_bytes}-${file.modified_at}`
}

export const textQuery = (run: Run, file: RunFile) =>
  queryOptions({
    queryKey: [...keyOf.files(projectPath(run.entity, run.project)), run.id, 'text', file.path, contentTag(file)],
    queryFn: async ({ signal }) => {
      // A range of an empty file is none.
      const headers: HeadersInit = file.size_bytes > PREVIEW_BYTES ? { Range: `bytes=0-${PREVIEW_BYTES - 1}` } : {}
      const response = await request(api.file(run.entity, run.project, run.id, file.path), { signal, headers })
      return response.text()
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
