import { useInfiniteQuery } from '@tanstack/react-query'
import type { Artifact } from '~/api/types'
import { artifactRunsQuery } from '~/features/artifacts/artifact-queries'
import { RunLink } from '~/features/artifacts/run-link'
import { formatInteger, plural } from '~/lib/format-number'
import { Button } from '~/ui/button'
import { errorText, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './runs-card.module.css'

/** Which run made a version, and which used it. */
export function RunsCard({ artifact }: { artifact: Artifact }) {
  const { logged_by: maker, step, use_count: count } = artifact
  const query = useInfiniteQuery({ ...artifactRunsQuery(artifact), enabled: count > 0 })
  const runs = query.data?.pages.flatMap((page) => page.runs)
  return (
    <Panel title="Runs">
      <dl className={styles.runs}>
        <dt>Made by</dt>
        <dd>
          {maker === null ? (
            <span className={styles.none}>nobody said</span>
          ) : (
            <>
              <RunLink run={maker} />
              {step !== null && <span className={styles.step}> at step {formatInteger(step)}</span>}
            </>
          )}
        </dd>
        <dt>Used by</dt>
        <dd>
          {count === 0 ? (
            <span className={styles.none}>no run yet</span>
          ) : runs === undefined ? (
            query.error === null ? (
              <Skeleton height={18} />
            ) : (
              <span className={styles.error}>{errorText(query.error)}</span>
            )
          ) : (
            <>
              <p className={styles.count}>{plural(count, 'run')}</p>
              <ul className={styles.list} aria-label="Used by">
                {runs.map((run) => (
                  <li key={`${run.project}/${run.run_id}`}>
                    <RunLink run={run} />
                  </li>
                ))}
              </ul>
              {query.hasNextPage && (
                <Button
                  look="ghost"
                  className={styles.more}
                  disabled={query.isFetchingNextPage}
                  onClick={() => void query.fetchNextPage()}
                >
                  Show more
                </Button>
              )}
            </>
          )}
        </dd>
      </dl>
    </Panel>
  )
}
