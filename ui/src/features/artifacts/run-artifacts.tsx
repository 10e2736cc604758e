import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Artifact, Run } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { runArtifactsQuery } from '~/features/artifacts/artifact-queries'
import { useNow } from '~/hooks/use-now'
import { formatBytes, formatInteger, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './run-artifacts.module.css'

/** The server names no more of each. */
const MAX_ARTIFACTS = 1_000

/** Which versions a run made and which it used. */
export function RunArtifactsTab({ run }: { run: Run }) {
  const { data, error, refetch } = useQuery(runArtifactsQuery(run))
  if (data === undefined) {
    if (error !== null)
      return <ErrorMessage title="Could not read the artifacts" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={160} />
      </div>
    )
  }
  if (data.logged.length + data.used.length === 0) {
    return (
      <Message title="No artifacts">
        Keep what a run makes with <code>run.log_artifact("model.pt", type="model")</code>, and say what it needs with{' '}
        <code>run.use_artifact("data:latest")</code>.
      </Message>
    )
  }
  return (
    <div className={styles.scroller}>
      <div className={styles.page}>
        <ArtifactPanel title="Made" empty="This run made no artifact." artifacts={data.logged} run={run} />
        <ArtifactPanel title="Used" empty="This run used no artifact." artifacts={data.used} run={run} />
      </div>
    </div>
  )
}

interface ArtifactPanelProps {
  title: string
  empty: string
  artifacts: readonly Artifact[]
  run: Run
}

function ArtifactPanel({ title, empty, artifacts, run }: ArtifactPanelProps) {
  const now = useNow()
  const count =
    artifacts.length >= MAX_ARTIFACTS ? `newest ${formatInteger(MAX_ARTIFACTS)}` : plural(artifacts.length, 'version')
  return (
    <Panel title={title} count={count}>
      {artifacts.length === 0 ? (
        <p className={styles.empty}>{empty}</p>
      ) : (
        <ul className={styles.list} aria-label={title}>
          {artifacts.map((artifact) => (
            <li key={`${artifact.project}/${artifact.collection}:${artifact.version}`} className={styles.row}>
              <ArtifactLink artifact={artifact} run={run} />
              <span className={styles.aliases}>
                <AliasChips aliases={artifact.aliases} />
              </span>
              <span className={styles.type}>{artifact.type}</span>
              <span className={styles.size}>
                {plural(artifact.file_count, 'file')} · {formatBytes(artifact.size_bytes)}
              </span>
              <span className={styles.time} title={formatDateTime(artifact.created_at)}>
                {formatRelative(artifact.created_at, now)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

/** A version by its name, with the project where it is another one than the run's. */
function ArtifactLink({ artifact, run }: { artifact: Artifact; run: Run }) {
  const { entity, project, collection, version } = artifact
  return (
    <Link
      to="/$entity/$project/artifacts/$collection/$version"
      params={{ entity, project, collection, version }}
      className={styles.name}
    >
      {project !== run.project && <span className={styles.project}>{project} / </span>}
      {collection}
      <span className={styles.version}>:{version}</span>
    </Link>
  )
}
