import type { Metric } from '~/api/types'

/** What a summary can show of a metric instead of its last value, in the order in which people read them. */
export const AGGREGATES = ['min', 'max', 'mean', 'first', 'last'] as const
export type Aggregate = (typeof AGGREGATES)[number]

/** The definition of a metric: its own, else the one with the longest beginning that fits. `name` has plain dots. */
export function definitionOf(metrics: readonly Metric[], name: string): Metric | undefined {
  const own = metrics.find((metric) => metric.name === name)
  if (own !== undefined) return own
  const fitting = metrics.filter((metric) => metric.name.endsWith('*') && name.startsWith(metric.name.slice(0, -1)))
  return fitting.sort((a, b) => b.name.length - a.name.length)[0]
}

/** The aggregates that the summary shows of a metric, none when it shows something else. */
export function aggregatesOf(metrics: readonly Metric[], name: string): Aggregate[] {
  const summary = definitionOf(metrics, name)?.summary ?? []
  if (summary.includes('none') || summary.includes('copy')) return []
  return AGGREGATES.filter((aggregate) => summary.includes(aggregate))
}
