import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query'
import { sendJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { RunList, RunsRequest } from '~/api/types'
import { api } from '~/lib/path-builder'

export const PAGE_SIZE = 200

/** The runs of a project page by page, as somebody scrolls. */
export const runPagesQuery = (body: RunsRequest) =>
  infiniteQueryOptions({
    queryKey: [...keyOf.runs(body.project), 'pages', body],
    queryFn: ({ pageParam, signal }) =>
      sendJson<RunList>('POST', api.runsQuery(), { ...body, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })
