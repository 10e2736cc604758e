import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { RunDetail } from '~/api/types'
import { filesQuery } from '~/features/files/file-queries'
import { CommandCard } from '~/features/run/command-card'
import { readEnvironment } from '~/features/run/environment'
import { GitCard } from '~/features/run/git-card'
import { JournalHealth } from '~/features/run/journal-health'
import { MachineCard } from '~/features/run/machine-card'
import { NotesEditor } from '~/features/run/notes-editor'
import { PackagesCard } from '~/features/run/packages-card'
import { RunLineage } from '~/features/run/run-lineage'
import { ValueTree } from '~/features/run/value-tree'
import styles from './run-overview.module.css'

/** Files that the client saves by itself. */
const DIFF_FILE = 'diff.patch'
const REQUIREMENTS_FILE = 'requirements.txt'

export function RunOverview({ detail }: { detail: RunDetail }) {
  const { run, streams } = detail
  const environment = useMemo(() => readEnvironment(detail.environment), [detail.environment])
  const { git, packages, rest } = environment
  const { data: files } = useQuery({ ...filesQuery(run), enabled: git !== null || packages.length > 0 })
  const fileOf = (path: string) => files?.find((file) => file.path === path)
  return (
    <div className={styles.scroller}>
      <div className={styles.columns}>
        <div className={styles.column}>
          <RunLineage detail={detail} />
          <NotesEditor run={run} />
          <CommandCard environment={environment} />
          {git !== null && <GitCard run={run} git={git} diff={fileOf(DIFF_FILE)} />}
          <MachineCard environment={environment} streams={streams} />
          {packages.length > 0 && (
            <PackagesCard run={run} packages={packages} requirements={fileOf(REQUIREMENTS_FILE)} />
          )}
          {Object.keys(rest).length > 0 && <ValueTree title="Environment" values={rest} empty="" />}
        </div>
        <div className={styles.column}>
          <ValueTree title="Config" values={detail.config} empty="This run has no config." />
          <ValueTree title="Summary" values={detail.summary} empty="Nothing was logged yet." metrics={detail.metrics} />
          <JournalHealth streams={streams} />
        </div>
      </div>
    </div>
  )
}
