import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { ApiError } from '~/api/client'
import type { Collection } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { collectionQuery, versionsQuery } from '~/features/artifacts/artifact-queries'
import { CollectionHeader } from '~/features/artifacts/collection-header'
import { ProtectedAliases } from '~/features/artifacts/protected-aliases'
import { useUpdateCollection } from '~/features/artifacts/use-artifact-changes'
import { VersionTable } from '~/features/artifacts/version-table'
import { useLive } from '~/features/live/use-live'
import { MarkdownPanel } from '~/features/markdown/markdown-panel'
import { useTitle } from '~/hooks/use-title'
import { plural } from '~/lib/format-number'
import { projectPath } from '~/lib/path-builder'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './collection-page.module.css'

/** The versions of a collection, and what is said of it. */
export function CollectionPage() {
  const { entity, project, collection: name } = useParams({ from: '/$entity/$project/artifacts/$collection' })
  const { data: collection, error, refetch } = useQuery(collectionQuery(entity, project, name))
  useLive(projectPath(entity, project))
  useTitle(name, project)
  if (collection === undefined) {
    if (error instanceof ApiError && error.kind === 'not_found') {
      return (
        <Message title="There is no such collection" icon={<Compass size={20} />}>
          <p>
            {projectPath(entity, project)} has no collection <code>{name}</code>. It may have been renamed or deleted.
          </p>
          <Link to="/$entity/$project/artifacts" params={{ entity, project }} style={{ color: 'var(--accent)' }}>
            All artifacts of {project}
          </Link>
        </Message>
      )
    }
    if (error !== null)
      return <ErrorMessage title="Could not read the collection" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={28} width={320} />
        <Skeleton height={220} />
      </div>
    )
  }
  return (
    <div className={styles.page}>
      <CollectionHeader collection={collection} />
      <div className={styles.body}>
        <Versions collection={collection} />
        <aside className={styles.aside}>
          <Description collection={collection} />
          <ProtectedAliases collection={collection} />
        </aside>
      </div>
    </div>
  )
}

function Versions({ collection }: { collection: Collection }) {
  const { entity, project, name, version_count: count } = collection
  const query = useInfiniteQuery(versionsQuery(entity, project, name))
  const versions = query.data?.pages.flatMap((page) => page.artifacts)
  return (
    <div className={styles.versions}>
      <Panel title="Versions" count={plural(count, 'version')}>
        {versions === undefined ? (
          query.error !== null ? (
            <ErrorMessage
              title="Could not read the versions"
              error={query.error}
              onRetry={() => void query.refetch()}
            />
          ) : (
            <div className={styles.loading}>
              <Skeleton height={160} />
            </div>
          )
        ) : versions.length === 0 ? (
          <Message title="No versions">All versions were deleted; the next one gets the next number.</Message>
        ) : (
          <VersionTable
            collection={collection}
            versions={versions}
            onEnd={() => {
              if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage()
            }}
          />
        )}
      </Panel>
    </div>
  )
}

function Description({ collection }: { collection: Collection }) {
  const update = useUpdateCollection(collection)
  const mayWrite = useMayWrite(collection.entity)
  return (
    <MarkdownPanel
      title="Description"
      noun="description"
      text={collection.description ?? ''}
      empty="What is in this collection?"
      saving={update.isPending}
      onSave={mayWrite ? (description, done) => update.mutate({ description }, { onSuccess: done }) : undefined}
    />
  )
}
