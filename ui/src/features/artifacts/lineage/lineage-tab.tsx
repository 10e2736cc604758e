import { useQuery } from '@tanstack/react-query'
import { Workflow } from 'lucide-react'
import type { Artifact } from '~/api/types'
import { LineageExplorer } from '~/features/artifacts/lineage/lineage-explorer'
import { lineageQuery } from '~/features/artifacts/lineage/lineage-queries'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './lineage-tab.module.css'

/** What led to a version and what came of it, as a graph. */
export function LineageTab({ artifact }: { artifact: Artifact }) {
  const { entity, project, collection, version } = artifact
  const { data: lineage, error, refetch } = useQuery(lineageQuery({ entity, project, collection, version }))
  if (lineage === undefined) {
    if (error !== null)
      return <ErrorMessage title="Could not read the lineage" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={320} />
      </div>
    )
  }
  if (lineage.edges.length === 0) {
    return (
      <Message title="Nothing is known of its lineage" icon={<Workflow size={20} />}>
        No run is known that made this version or used it. Runs that call{' '}
        <code>
          run.use_artifact("{collection}:{version}")
        </code>{' '}
        show up here.
      </Message>
    )
  }
  return <LineageExplorer key={`${entity}/${project}/${collection}:${version}`} lineage={lineage} />
}
