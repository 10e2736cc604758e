import { Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import type { Run } from '~/api/types'
import { EditableName } from '~/features/run/editable-name'
import { EditableTags } from '~/features/run/editable-tags'
import { RunMenu } from '~/features/runs/run-menu'
import { runDuration } from '~/features/runs/run-values'
import { useNow } from '~/hooks/use-now'
import { formatInteger, plural } from '~/lib/format-number'
import { formatDateTime, formatDuration } from '~/lib/format-time'
import { runPath } from '~/lib/path-builder'
import { CopyButton } from '~/ui/copy-button'
import { StateBadge } from '~/ui/state-badge'
import { Tabs } from '~/ui/tabs'
import styles from './run-header.module.css'

export const RUN_TABS = [
  { value: 'overview', label: 'Overview' },
  { value: 'charts', label: 'Charts' },
  { value: 'logs', label: 'Logs' },
  { value: 'data', label: 'Data' },
  { value: 'files', label: 'Files' },
  { value: 'artifacts', label: 'Artifacts' },
  { value: 'alerts', label: 'Alerts' },
] as const
export type RunTab = (typeof RUN_TABS)[number]['value']

interface RunHeaderProps {
  run: Run
  tab: RunTab
  /** Alerts of the run, repetitions apart. */
  alertCount: number
  onTab: (tab: RunTab) => void
  onDeleted: () => void
}

export function RunHeader({ run, tab, alertCount, onTab, onDeleted }: RunHeaderProps) {
  const now = useNow()
  const path = runPath(run.entity, run.project, run.id)
  const duration = runDuration(run, now)
  return (
    <header className={styles.header}>
      <div className={styles.top}>
        <Link
          to="/$entity/$project"
          params={{ entity: run.entity, project: run.project }}
          className={styles.back}
          aria-label="Back to the workspace"
          title="Back to the workspace"
        >
          <ArrowLeft size={16} />
        </Link>
        <EditableName run={run} />
        <StateBadge run={run} />
        {run.exit_code !== null && run.exit_code !== 0 && (
          <span className={styles.exit}>exit code {run.exit_code}</span>
        )}
        <span className={styles.space} />
        <RunMenu run={run} onDeleted={onDeleted} />
      </div>
      <div className={styles.facts}>
        <span className={styles.path}>
          <code>{path}</code>
          <CopyButton text={path} label="Copy path" />
        </span>
        <span title={formatDateTime(run.created_at)}>started {formatDateTime(run.created_at)}</span>
        <span>
          {run.state === 'running' ? 'running for' : 'ran for'} {formatDuration(duration)}
        </span>
        <span>
          {run.last_step === null ? 'no step yet' : `step ${formatInteger(run.last_step)}`} ·{' '}
          {plural(run.row_count, 'row')}
        </span>
        {run.group !== null && <span>group {run.group}</span>}
        {run.job_type !== null && <span>job {run.job_type}</span>}
        <EditableTags run={run} />
      </div>
      <Tabs
        label="Run"
        value={tab}
        tabs={RUN_TABS.map((each) =>
          each.value === 'alerts' && alertCount > 0 ? { ...each, count: formatInteger(alertCount) } : each,
        )}
        onChange={onTab}
      />
    </header>
  )
}
