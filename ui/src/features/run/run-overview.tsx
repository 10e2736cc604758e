import type { RunDetail } from '~/api/types'
import { JournalHealth } from '~/features/run/journal-health'
import { NotesEditor } from '~/features/run/notes-editor'
import { RunLineage } from '~/features/run/run-lineage'
import { ValueTree } from '~/features/run/value-tree'
import styles from './run-overview.module.css'

export function RunOverview({ detail }: { detail: RunDetail }) {
  return (
    <div className={styles.scroller}>
      <div className={styles.columns}>
        <div className={styles.column}>
          <RunLineage detail={detail} />
          <NotesEditor run={detail.run} />
          <JournalHealth streams={detail.streams} />
          <ValueTree
            title="Environment"
            values={detail.environment}
            empty="The client said nothing of its surroundings."
          />
        </div>
        <div className={styles.column}>
          <ValueTree title="Config" values={detail.config} empty="This run has no config." />
          <ValueTree title="Summary" values={detail.summary} empty="Nothing was logged yet." metrics={detail.metrics} />
        </div>
      </div>
    </div>
  )
}
