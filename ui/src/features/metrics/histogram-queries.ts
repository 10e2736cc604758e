import { queryOptions } from '@tanstack/react-query'
import { getRows } from '~/api/client'
import { keyOf } from '~/api/queries'
import { type HistogramAt, readHistogram } from '~/charts/histogram'
import type { Range } from '~/charts/range'
import { stepOf } from '~/features/run/history-queries'
import { api } from '~/lib/path-builder'

/** Histograms are long texts: those of a running run are not read with every row. */
const LOOK_MILLIS = 5_000
/** Runs that are asked whether they have a value, before none counts as having one. */
const MAX_PROBED = 6

function historyUrl(path: string, key: string, params: Record<string, string>): string {
  const [entity, project, id] = path.split('/')
  return api.history(entity, project, id, { format: 'jsonl', keys: JSON.stringify([key]), ...params })
}

/** The first of some runs with a value of a key, and whether that is a histogram; `null` when none has one. */
export const probeQuery = (project: string, paths: readonly string[], key: string) => {
  const probed = paths.slice(0, MAX_PROBED)
  return queryOptions({
    queryKey: [...keyOf.histograms(project), 'probe', key, probed],
    queryFn: async ({ signal }) => {
      for (const run of probed) {
        const [row] = await getRows(historyUrl(run, key, { limit: '1' }), signal)
        if (row !== undefined) return { run, isHistogram: readHistogram(row[key]) !== null }
      }
      return null
    },
    enabled: probed.length > 0,
    staleTime: 60_000,
  })
}

/** Some of the histograms of a run, spread evenly over its rows; by step. */
export const histogramsQuery = (
  project: string,
  run: string,
  key: string,
  options: { samples: number; zoom: Range | null; live: boolean },
) =>
  queryOptions({
    queryKey: [...keyOf.histograms(project), 'rows', key, run, options.samples, options.zoom] as const,
    queryFn: async ({ signal }): Promise<HistogramAt[]> => {
      const params: Record<string, string> = { samples: String(options.samples) }
      if (options.zoom !== null) {
        params.from_step = String(Math.max(0, Math.floor(options.zoom[0])))
        params.to_step = String(Math.ceil(options.zoom[1]))
      }
      const rows = await getRows(historyUrl(run, key, params), signal)
      return rows.flatMap((row) => {
        const histogram = readHistogram(row[key])
        return histogram === null ? [] : [{ step: stepOf(row), histogram }]
      })
    },
    staleTime: 10_000,
    refetchInterval: options.live ? LOOK_MILLIS : false,
    placeholderData: (previous, query) => (query?.queryKey[4] === run ? previous : undefined),
  })
