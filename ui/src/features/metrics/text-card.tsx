import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { sendJson } from '~/api/client'
import { keyOf } from '~/api/queries'
import type { MetricKey, RunList } from '~/api/types'
import { chartTitle } from '~/features/metrics/sections'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { idsFilter } from '~/features/runs/run-query'
import { formatJson } from '~/features/runs/run-values'
import { api, runIdOfPath, runPath } from '~/lib/path-builder'
import styles from './text-card.module.css'

const MAX_RUNS = 30

/** A metric that holds no numbers: the last value of each run. */
export function TextCard({ metric, runs }: { metric: MetricKey; runs: ChartRuns }) {
  const ids = [...runs.looks.keys()].slice(0, MAX_RUNS).map(runIdOfPath)
  const field = `summary.${metric.key}`
  const { data } = useQuery({
    queryKey: [...keyOf.text(runs.project), metric.key, ids],
    queryFn: ({ signal }) =>
      sendJson<RunList>(
        'POST',
        api.runsQuery(),
        { project: runs.project, filter: idsFilter(ids), columns: [field], limit: MAX_RUNS },
        signal,
      ),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
  })
  const rows = (data?.runs ?? []).filter((run) => run.values[field] !== undefined)
  return (
    <article className={styles.card} aria-label={metric.key}>
      <h3 className={styles.title} title={metric.key}>
        {chartTitle(metric.key)} <span className={styles.kind}>last values</span>
      </h3>
      <div className={styles.rows}>
        {rows.map((run) => {
          const look = runs.looks.get(runPath(run.entity, run.project, run.id))
          return (
            <div key={run.id} className={styles.row}>
              <span className={styles.dot} style={{ background: look?.color }} />
              <span className={styles.name}>{run.name}</span>
              <span className={styles.value}>{formatJson(run.values[field])}</span>
            </div>
          )
        })}
        {data !== undefined && rows.length === 0 && (
          <p className={styles.none}>None of the shown runs has a last value of this metric.</p>
        )}
      </div>
    </article>
  )
}
