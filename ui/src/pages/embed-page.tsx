import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ArrowUpRight } from 'lucide-react'
import { useCallback, useState } from 'react'
import { runQuery, sessionQuery } from '~/api/queries'
import { useLive } from '~/features/live/use-live'
import { type ChartView, decodeChartView } from '~/features/metrics/chart-view'
import { ChartsArea } from '~/features/metrics/charts-area'
import { useChartRuns } from '~/features/run/use-chart-runs'
import { runDuration } from '~/features/runs/run-values'
import { useNow } from '~/hooks/use-now'
import { useTitle } from '~/hooks/use-title'
import { formatInteger } from '~/lib/format-number'
import { formatDuration } from '~/lib/format-time'
import { pagePath, projectPath } from '~/lib/path-builder'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { StateBadge } from '~/ui/state-badge'
import styles from './embed-page.module.css'

/**
 * A run's charts inside another page, such as a notebook. Any site may frame it, so nothing here changes anything, and
 * every link leaves the frame.
 */
export function EmbedPage() {
  const { entity, project: name, id } = useParams({ from: '/embed/$entity/$project/runs/$id' })
  const session = useQuery(sessionQuery())
  const locked = session.data?.login_required === true && session.data.user === null
  const { data: detail, error, refetch } = useQuery({ ...runQuery(entity, name, id), enabled: !locked })
  useLive(projectPath(entity, name))
  const run = detail?.run
  const now = useNow()
  const runs = useChartRuns(entity, name, id, run)
  const [view, setView] = useState(() => decodeChartView({}))
  const change = useCallback((part: Partial<ChartView>) => setView((before) => ({ ...before, ...part })), [])
  useTitle(run?.name, name)
  const page = pagePath.run(entity, name, id)
  if (locked) {
    return (
      <Message title="This server wants to know who you are">
        <a className={styles.link} href={`/login?next=${encodeURIComponent(page)}`} target="_blank" rel="noreferrer">
          Log in, then show this cell again
        </a>
      </Message>
    )
  }
  if (run === undefined) {
    return error === null ? (
      <div className={styles.loading}>
        <Skeleton height={24} width={240} />
        <Skeleton height={220} />
      </div>
    ) : (
      <ErrorMessage title="Could not read the run" error={error} onRetry={() => void refetch()} />
    )
  }
  const duration = runDuration(run, now)
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <span className={styles.name}>{run.name}</span>
        <StateBadge run={run} />
        <span className={styles.facts}>
          {run.last_step !== null && <>step {formatInteger(run.last_step)}</>}
          {run.last_step !== null && duration !== null && ' · '}
          {duration !== null && formatDuration(duration)}
        </span>
        <span className={styles.space} />
        <a className={styles.link} href={page} target="_blank" rel="noreferrer">
          Open in steplog <ArrowUpRight size={14} />
        </a>
      </header>
      <ChartsArea runs={runs} view={view} change={change} noRuns={null} loading={false} />
    </div>
  )
}
