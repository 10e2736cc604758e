import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { getJson, sendJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { AlertChannelList, AlertList } from '~/api/types'
import { api } from '~/lib/path-builder'

/** As many as a page has: what the unread mark counts, what charts mark, and what scrolling adds. */
export const ALERTS_OF_PAGE = 100

/** The alerts of a project, or of one run of it, newest first. */
export const alertsQuery = (project: string, run: string | null, repeated = false) =>
  infiniteQueryOptions({
    queryKey: [...keyOf.alerts(project), run, repeated],
    queryFn: ({ pageParam, signal }) =>
      sendJson<AlertList>(
        'POST',
        api.alertsQuery(),
        { project, run, repeated, limit: ALERTS_OF_PAGE, cursor: pageParam },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })

/** Where the alerts of an entity are sent. */
export const alertChannelsQuery = (entity: string) =>
  queryOptions({
    queryKey: ['alert-channels', entity],
    queryFn: ({ signal }) => getJson<AlertChannelList>(api.alertChannels(entity), signal),
  })
