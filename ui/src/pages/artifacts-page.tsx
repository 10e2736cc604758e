import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { collectionsQuery } from '~/features/artifacts/artifact-queries'
import { CollectionTable } from '~/features/artifacts/collection-table'
import { FirstArtifact } from '~/features/artifacts/first-artifact'
import { TypeFilter } from '~/features/artifacts/type-filter'
import { useLive } from '~/features/live/use-live'
import { useDraft } from '~/hooks/use-draft'
import { useTitle } from '~/hooks/use-title'
import { plural } from '~/lib/format-number'
import { groupBy } from '~/lib/group-by'
import { projectPath } from '~/lib/path-builder'
import type { SearchParams } from '~/lib/search-params'
import { TextInput } from '~/ui/field'
import { LoadMore } from '~/ui/load-more'
import { ErrorMessage, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import styles from './artifacts-page.module.css'

const SEARCH_MILLIS = 250

/** A project's collections by type. */
export function ArtifactsPage() {
  const { entity, project } = useParams({ from: '/$entity/$project/artifacts' })
  const params = useSearch({ strict: false }) as SearchParams
  const navigate = useNavigate()
  const { type, search = '' } = params
  const go = (part: { type?: string; search?: string }) => {
    const next = { type, search, ...part }
    const kept = Object.entries(next).filter(([, value]) => value !== undefined && value !== '')
    void navigate({ to: '.', search: Object.fromEntries(kept) as SearchParams, replace: true })
  }
  const [draft, setDraft] = useDraft(search, (text) => go({ search: text }), SEARCH_MILLIS)
  const query = useInfiniteQuery(collectionsQuery({ entity, project, type, search }))
  useLive(projectPath(entity, project))
  useTitle('Artifacts', project)
  const collections = query.data?.pages.flatMap((page) => page.collections) ?? []
  const types = query.data?.pages[0].types ?? []
  const groups = groupBy(collections, (collection) => collection.type)
  const total = types.reduce((sum, { count }) => sum + count, 0)
  const none = query.data !== undefined && total === 0 && search === ''
  return (
    <div className={styles.scroller}>
      <div className={styles.page}>
        <div className={styles.head}>
          <h1>Artifacts</h1>
          {total > 0 && <span className={styles.count}>{plural(total, 'collection')}</span>}
          {!none && (
            <TextInput
              type="search"
              className={styles.search}
              aria-label="Search collections"
              placeholder="Search collections"
              value={draft}
              onChange={(event) => setDraft(event.target.value)}
            />
          )}
        </div>
        {types.length > 1 && (
          <TypeFilter types={types} value={type ?? null} onChange={(next) => go({ type: next ?? undefined })} />
        )}
        {query.error !== null ? (
          <ErrorMessage title="Could not read the artifacts" error={query.error} onRetry={() => void query.refetch()} />
        ) : query.data === undefined ? (
          <div className={styles.skeletons}>
            {[1, 2, 3].map((number) => (
              <Skeleton key={number} height={120} />
            ))}
          </div>
        ) : none ? (
          <FirstArtifact project={project} />
        ) : collections.length === 0 ? (
          <p className={styles.count}>
            No collection{type === undefined ? '' : ` of type ${type}`} has “{search}” in its name.
          </p>
        ) : (
          [...groups].map(([name, members], index) => (
            <Panel
              key={name}
              title={name}
              count={plural(types.find((each) => each.type === name)?.count ?? members.length, 'collection')}
            >
              <CollectionTable type={name} collections={members} headed={index === 0} />
            </Panel>
          ))
        )}
        {query.hasNextPage && (
          <LoadMore
            key={query.data?.pages.length}
            loading={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </div>
    </div>
  )
}
