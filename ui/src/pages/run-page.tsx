import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { useCallback, useMemo, useRef } from 'react'
import { ApiError } from '~/api/client'
import { runQuery } from '~/api/queries'
import { AlertFeed } from '~/features/alerts/alert-feed'
import { AlertsButton } from '~/features/alerts/alerts-button'
import { RunArtifactsTab } from '~/features/artifacts/run-artifacts'
import { FilesTab } from '~/features/files/files-tab'
import { useLive } from '~/features/live/use-live'
import { LogsTab } from '~/features/logs/logs-tab'
import { decodeLogsView, encodeLogsView, type LogsView } from '~/features/logs/logs-view'
import { type ChartView, decodeChartView, encodeChartView } from '~/features/metrics/chart-view'
import { ChartsArea } from '~/features/metrics/charts-area'
import { HistoryTable } from '~/features/run/history-table'
import { RUN_TABS, RunHeader, type RunTab } from '~/features/run/run-header'
import { RunOverview } from '~/features/run/run-overview'
import { useChartRuns } from '~/features/run/use-chart-runs'
import { useTitle } from '~/hooks/use-title'
import { projectPath } from '~/lib/path-builder'
import type { SearchParams } from '~/lib/search-params'
import { HeaderActions } from '~/ui/header-slot'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './run-page.module.css'

/** One run: what it is, its charts, its rows, its files. */
export function RunPage() {
  const { entity, project: name, id } = useParams({ from: '/$entity/$project/runs/$id' })
  const search = useSearch({ strict: false }) as SearchParams
  const navigate = useNavigate()
  const project = projectPath(entity, name)
  const { data: detail, error, refetch } = useQuery(runQuery(entity, name, id))
  useLive(project)
  const tab = RUN_TABS.find(({ value }) => value === search.tab)?.value ?? 'overview'
  const charts = useMemo(() => decodeChartView(search), [search])
  const logs = useMemo(() => decodeLogsView(search), [search])
  const latest = useRef<PageView>({ tab, charts, logs })
  latest.current = { tab, charts, logs }
  const go = useCallback(
    (part: Partial<PageView>, replace: boolean) => {
      latest.current = { ...latest.current, ...part }
      void navigate({ to: '.', search: encodePageView(latest.current), replace })
    },
    [navigate],
  )
  const changeLogs = useCallback(
    (part: Partial<LogsView>) => go({ logs: { ...latest.current.logs, ...part } }, true),
    [go],
  )
  const run = detail?.run
  useTitle(run?.name, name)
  const runs = useChartRuns(entity, name, id, run)

  if (detail === undefined || run === undefined) {
    if (error instanceof ApiError && error.kind === 'not_found') {
      return (
        <Message title="There is no such run" icon={<Compass size={20} />}>
          <p>
            {project} has no run with the id <code>{id}</code>. It may have been deleted.
          </p>
          <Link to="/$entity/$project" params={{ entity, project: name }} style={{ color: 'var(--accent)' }}>
            All runs of {name}
          </Link>
        </Message>
      )
    }
    if (error !== null)
      return <ErrorMessage title="Could not read the run" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={28} width={320} />
        <Skeleton height={220} />
      </div>
    )
  }
  return (
    <div className={styles.page}>
      <HeaderActions>
        <AlertsButton entity={entity} project={name} />
      </HeaderActions>
      <RunHeader
        run={run}
        tab={tab}
        alertCount={detail.alert_count}
        onTab={(next) => go({ tab: next }, false)}
        onDeleted={() => void navigate({ to: '/$entity/$project', params: { entity, project: name } })}
      />
      {tab === 'overview' && <RunOverview detail={detail} />}
      {tab === 'charts' && (
        <ChartsArea
          runs={runs}
          view={charts}
          change={(part) => go({ charts: { ...latest.current.charts, ...part } }, part.zoom === undefined)}
          noRuns={null}
          systemOpen
          loading={false}
        />
      )}
      {tab === 'logs' && <LogsTab run={run} view={logs} change={changeLogs} />}
      {tab === 'alerts' && (
        <div className={styles.scroller}>
          <div className={styles.alerts}>
            <AlertFeed entity={entity} project={name} run={id} seen={Number.POSITIVE_INFINITY} />
          </div>
        </div>
      )}
      {tab === 'data' && <HistoryTable run={run} />}
      {tab === 'files' && <FilesTab run={run} />}
      {tab === 'artifacts' && <RunArtifactsTab run={run} />}
    </div>
  )
}

/** What of the page stands in its address. */
interface PageView {
  tab: RunTab
  charts: ChartView
  logs: LogsView
}

function encodePageView({ tab, charts, logs }: PageView): SearchParams {
  const tabSearch: SearchParams = tab === 'overview' ? {} : { tab }
  return { ...tabSearch, ...encodeChartView(charts), ...encodeLogsView(logs) }
}
