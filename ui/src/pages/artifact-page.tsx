import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { ApiError } from '~/api/client'
import { ARTIFACT_TABS, ArtifactHeader, type ArtifactTab } from '~/features/artifacts/artifact-header'
import { ArtifactOverview } from '~/features/artifacts/artifact-overview'
import { artifactQuery } from '~/features/artifacts/artifact-queries'
import { useLive } from '~/features/live/use-live'
import { useTitle } from '~/hooks/use-title'
import { projectPath } from '~/lib/path-builder'
import type { SearchParams } from '~/lib/search-params'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './artifact-page.module.css'

const ArtifactFiles = lazy(async () => ({
  default: (await import('~/features/artifacts/files/artifact-files')).ArtifactFiles,
}))
const LineageTab = lazy(async () => ({
  default: (await import('~/features/artifacts/lineage/lineage-tab')).LineageTab,
}))
const DiffTab = lazy(async () => ({ default: (await import('~/features/artifacts/diff/diff-tab')).DiffTab }))

/** One version: what it is, its files, where it comes from, and what is not the same in another one. */
export function ArtifactPage() {
  const place = useParams({ from: '/$entity/$project/artifacts/$collection/$version' })
  const { entity, project, collection, version } = place
  const search = useSearch({ strict: false }) as SearchParams
  const navigate = useNavigate()
  const { data: artifact, error, refetch } = useQuery(artifactQuery(place))
  useLive(projectPath(entity, project))
  useTitle(`${collection}:${version}`, project)
  const tab = ARTIFACT_TABS.find(({ value }) => value === search.tab)?.value ?? 'overview'
  const go = (part: SearchParams, replace = false) => void navigate({ to: '.', search: part, replace })
  const openTab = (next: ArtifactTab) => go(next === 'overview' ? {} : { tab: next })
  if (artifact === undefined) {
    if (error instanceof ApiError && error.kind === 'not_found') {
      return (
        <Message title="There is no such version" icon={<Compass size={20} />}>
          <p>
            {collection} has no version or alias <code>{version}</code>. It may have been deleted.
          </p>
          <Link
            to="/$entity/$project/artifacts/$collection"
            params={{ entity, project, collection }}
            style={{ color: 'var(--accent)' }}
          >
            All versions of {collection}
          </Link>
        </Message>
      )
    }
    if (error !== null)
      return <ErrorMessage title="Could not read the version" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={28} width={320} />
        <Skeleton height={220} />
      </div>
    )
  }
  return (
    <div className={styles.page}>
      <ArtifactHeader artifact={artifact} tab={tab} onTab={openTab} />
      <Suspense
        fallback={
          <div className={styles.loading}>
            <Skeleton height={220} />
          </div>
        }
      >
        {tab === 'overview' && <ArtifactOverview artifact={artifact} />}
        {tab === 'files' && (
          <ArtifactFiles
            artifact={artifact}
            chosen={search.file ?? null}
            onChoose={(file) => go(file === null ? { tab: 'files' } : { tab: 'files', file }, true)}
          />
        )}
        {tab === 'lineage' && <LineageTab artifact={artifact} />}
        {tab === 'diff' && (
          <DiffTab artifact={artifact} from={search.from ?? null} onFrom={(from) => go({ tab: 'diff', from })} />
        )}
      </Suspense>
    </div>
  )
}
