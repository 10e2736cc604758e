import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { chartColors } from '~/charts/chart-colors'
import type { HeatModel } from '~/charts/heat-plot'
import type { Range } from '~/charts/range'
import { histogramsQuery } from '~/features/metrics/histogram-queries'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { useDark } from '~/hooks/use-theme'

/** The histograms of one run, ready to be drawn. */
export function useHistograms(runs: ChartRuns, run: string, key: string, samples: number, zoom: Range | null) {
  const live = runs.live.includes(run)
  const { data, error, isPending, refetch } = useQuery(histogramsQuery(runs.project, run, key, { samples, zoom, live }))
  const dark = useDark()
  const model = useMemo<HeatModel>(
    () => ({ histograms: data ?? [], zoom, colors: chartColors(dark) }),
    [data, zoom, dark],
  )
  return { model, error, pending: isPending, retry: () => void refetch() }
}
