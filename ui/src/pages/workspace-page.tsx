import { Link, useParams } from '@tanstack/react-router'
import { ChartLine, Compass, Table2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { ApiError } from '~/api/client'
import { AlertsButton } from '~/features/alerts/alerts-button'
import { useLive } from '~/features/live/use-live'
import type { ChartView } from '~/features/metrics/chart-view'
import { ChartsArea } from '~/features/metrics/charts-area'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { ExpandPanelButton, RunPanel } from '~/features/runs/run-panel'
import { useRunListState } from '~/features/runs/use-run-list-state'
import { Resizer } from '~/features/workspace/resizer'
import { useWorkspaceView } from '~/features/workspace/use-workspace-view'
import { DEFAULT_TOP } from '~/features/workspace/workspace-view'
import { useTitle } from '~/hooks/use-title'
import { projectPath, runPath } from '~/lib/path-builder'
import { readStored, writeStored } from '~/lib/storage'
import { Button } from '~/ui/button'
import { Segmented } from '~/ui/field'
import { HeaderActions } from '~/ui/header-slot'
import { Message } from '~/ui/message'
import styles from './workspace-page.module.css'

const MIN_WIDTH = 220
const MAX_WIDTH = 720

/** A project's runs beside their charts, or as one table. */
export function WorkspacePage() {
  const { entity, project: name } = useParams({ from: '/$entity/$project' })
  const project = projectPath(entity, name)
  const [view, change] = useWorkspaceView()
  const state = useRunListState(project, view, change)
  const [panel, setPanel] = useState(() => readStored('panel', { width: 320, open: window.innerWidth > 720 }))
  useLive(project)
  useTitle(name)
  const keepPanel = (next: typeof panel) => {
    setPanel(next)
    writeStored('panel', next)
  }
  const { visible, colors } = state
  // Times of running runs change all the while; charts only care for what is in this text.
  const signature = JSON.stringify(
    visible.runs.map((run) => [
      runPath(run.entity, run.project, run.id),
      run.name,
      colors.colorOf(run.id),
      run.state === 'running',
      run.created_at,
      run.fork_from?.step ?? null,
    ]),
  )
  const runs = useMemo(() => chartRuns(project, signature), [project, signature])
  const { error } = visible
  if (error instanceof ApiError && error.kind === 'not_found') {
    return (
      <Message title="There is no such project" icon={<Compass size={20} />}>
        <p>
          {project} has no runs: a project begins with its first one, <code>steplog.init(project="{name}")</code>.
        </p>
        <Link to="/" style={{ color: 'var(--accent)' }}>
          All projects
        </Link>
      </Message>
    )
  }
  const changeChart = (part: Partial<ChartView>) => change({ chart: { ...view.chart, ...part } })
  return (
    <div className={styles.page}>
      <HeaderActions>
        <AlertsButton entity={entity} project={name} />
        <Segmented
          label="View"
          value={view.mode}
          options={[
            {
              value: 'charts',
              label: (
                <>
                  <ChartLine size={14} /> <span className={styles.mode}>Charts</span>
                </>
              ),
              title: 'Charts',
            },
            {
              value: 'table',
              label: (
                <>
                  <Table2 size={14} /> <span className={styles.mode}>Table</span>
                </>
              ),
              title: 'Table',
            },
          ]}
          onChange={(mode) => change({ mode })}
        />
      </HeaderActions>
      {view.mode === 'table' ? (
        <div className={styles.table}>
          <RunPanel layout="table" state={state} width={300} />
        </div>
      ) : (
        <>
          {panel.open ? (
            <>
              <aside className={styles.panel} style={{ width: panel.width }} aria-label="Runs">
                <RunPanel
                  layout="panel"
                  state={state}
                  width={panel.width}
                  onCollapse={() => keepPanel({ ...panel, open: false })}
                />
              </aside>
              <Resizer
                width={panel.width}
                min={MIN_WIDTH}
                max={MAX_WIDTH}
                onChange={(width) => keepPanel({ ...panel, width })}
              />
            </>
          ) : (
            <div className={styles.collapsed}>
              <ExpandPanelButton onClick={() => keepPanel({ ...panel, open: true })} />
            </div>
          )}
          <ChartsArea
            runs={runs}
            view={view.chart}
            change={changeChart}
            loading={visible.loading}
            systemOpen={false}
            noRuns={
              <Message title="No runs on the charts">
                <p>Show runs with the eye beside their names, or all at once.</p>
                <Button style={{ marginTop: 12 }} onClick={() => state.showTop(DEFAULT_TOP)}>
                  Show the first {DEFAULT_TOP}
                </Button>
              </Message>
            }
          />
        </>
      )}
    </div>
  )
}

type Signature = [path: string, name: string, color: string, live: boolean, createdAt: number, forkStep: number | null]

function chartRuns(project: string, signature: string): ChartRuns {
  const list = JSON.parse(signature) as Signature[]
  return {
    project,
    settled: list.filter(([, , , live]) => !live).map(([path]) => path),
    live: list.filter(([, , , live]) => live).map(([path]) => path),
    looks: new Map(
      list.map(([path, name, color, , createdAt, forkStep]) => [path, { name, color, createdAt, forkStep }]),
    ),
  }
}
