import { useQuery } from '@tanstack/react-query'
import type { MetricKey } from '~/api/types'
import type { Range } from '~/charts/range'
import styles from '~/features/metrics/chart-card.module.css'
import type { ChartView } from '~/features/metrics/chart-view'
import { HistogramCard } from '~/features/metrics/histogram-card'
import { probeQuery } from '~/features/metrics/histogram-queries'
import { TextCard } from '~/features/metrics/text-card'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { Skeleton } from '~/ui/message'

interface OtherCardProps {
  metric: MetricKey
  runs: ChartRuns
  view: ChartView
  onZoom: (zoom: Range | null) => void
  onExpand: () => void
}

/** A metric that holds no numbers: histograms over steps, or else the last values. */
export function OtherCard({ metric, runs, view, onZoom, onExpand }: OtherCardProps) {
  const { data: probe, isPending } = useQuery(probeQuery(runs.project, [...runs.looks.keys()], metric.key))
  if (isPending) {
    return (
      <article className={styles.card} aria-label={metric.key} aria-busy>
        <Skeleton height={220} />
      </article>
    )
  }
  if (!probe?.isHistogram) return <TextCard metric={metric} runs={runs} />
  return <HistogramCard metric={metric} runs={runs} first={probe.run} view={view} onZoom={onZoom} onExpand={onExpand} />
}
