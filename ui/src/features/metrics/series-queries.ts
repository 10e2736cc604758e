import { queryOptions } from '@tanstack/react-query'
import { keyOf } from '~/api/queries'
import type { KeySeries } from '~/charts/series'
import { type SeriesShape, seriesLoader } from '~/features/metrics/series-loader'

/** Whether the runs still grow: live events read only these again. */
export type SeriesPart = 'live' | 'settled'

export function seriesQuery(project: string, part: SeriesPart, shape: SeriesShape, key: string) {
  return queryOptions({
    queryKey: [...keyOf.series(project), part, key, shape] as const,
    queryFn: ({ signal }) => seriesLoader.load(shape, key, signal),
    enabled: shape.runs.length > 0,
    staleTime: part === 'settled' ? 60_000 : 1_000,
    gcTime: 60_000,
    // What is shown stays until the answer comes, unless its x means something else.
    placeholderData: (previous: KeySeries | undefined, query) => {
      const before = query?.queryKey[4] as SeriesShape | undefined
      return before !== undefined && JSON.stringify(before.x) === JSON.stringify(shape.x) ? previous : undefined
    },
  })
}

const BUCKET_STEPS = [128, 256, 512, 1_024, 2_048]
/** Points that all lines of a chart have together: what a canvas draws without a pause. */
const POINTS_OF_CHART = 120_000

/** Buckets for a chart this wide with so many lines, in few steps so that resizing seldom asks again. */
export function bucketsFor(width: number, runs: number): number {
  const wanted = Math.min(width * 1.2, POINTS_OF_CHART / Math.max(1, runs))
  return BUCKET_STEPS.find((step) => step >= wanted) ?? BUCKET_STEPS[BUCKET_STEPS.length - 1]
}

/** Both parts of a chart as one. */
export function joinSeries(settled: KeySeries | undefined, live: KeySeries | undefined): KeySeries | undefined {
  if (settled === undefined || live === undefined) return settled ?? live
  const runs = new Set(live.series.map(({ run }) => run))
  return { ...live, series: [...settled.series.filter(({ run }) => !runs.has(run)), ...live.series] }
}
