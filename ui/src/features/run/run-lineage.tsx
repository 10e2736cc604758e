import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitFork } from 'lucide-react'
import { runsQuery } from '~/api/queries'
import type { Run, RunDetail } from '~/api/types'
import { idsFilter } from '~/features/runs/run-query'
import { formatInteger } from '~/lib/format-number'
import { projectPath } from '~/lib/path-builder'
import { StateMark } from '~/ui/state-badge'
import styles from './run-lineage.module.css'

/** The server names no more forks than these. */
const MAX_FORKS = 10

/** Where the run was forked from, and which runs were forked from it. */
export function RunLineage({ detail: { run, forks } }: { detail: RunDetail }) {
  const ids = run.fork_from === null ? forks : [run.fork_from.run, ...forks]
  const { data } = useQuery({
    ...runsQuery({ project: projectPath(run.entity, run.project), filter: idsFilter(ids), limit: MAX_FORKS + 1 }),
    enabled: ids.length > 0,
  })
  if (ids.length === 0) return null
  const known = new Map((data?.runs ?? []).map((each) => [each.id, each]))
  return (
    <section className={styles.lineage} aria-label="Forks">
      <GitFork size={15} className={styles.icon} aria-hidden />
      {run.fork_from !== null && (
        <p>
          forked from <RunName id={run.fork_from.run} of={run} known={known} pending={data === undefined} /> at step{' '}
          {formatInteger(run.fork_from.step)}
        </p>
      )}
      {forks.length > 0 && (
        <p className={styles.forks}>
          {forks.length >= MAX_FORKS ? 'first forks' : forks.length === 1 ? 'fork' : 'forks'}:{' '}
          {forks.map((id) => (
            <RunName key={id} id={id} of={run} known={known} pending={data === undefined} />
          ))}
        </p>
      )}
    </section>
  )
}

interface RunNameProps {
  id: string
  /** A run of the same project. */
  of: Run
  known: ReadonlyMap<string, Run>
  pending: boolean
}

/** A run by its name. The run that another one began with need not be on this server. */
function RunName({ id, of, known, pending }: RunNameProps) {
  const run = known.get(id)
  if (run === undefined && !pending) return <span title="This run is not on the server">{id} (not here)</span>
  return (
    <Link
      to="/$entity/$project/runs/$id"
      params={{ entity: of.entity, project: of.project, id }}
      className={styles.run}
    >
      {run?.name ?? id}
      {run !== undefined && <StateMark run={run} />}
    </Link>
  )
}
