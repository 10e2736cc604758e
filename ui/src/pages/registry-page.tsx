import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { sessionQuery } from '~/api/queries'
import { collectionsQuery } from '~/features/artifacts/artifact-queries'
import { registries } from '~/features/artifacts/registry-stages'
import { RegistryTable } from '~/features/artifacts/registry-table'
import { firstLinkLines } from '~/features/artifacts/usage-code'
import { useLive } from '~/features/live/use-live'
import { useDraft } from '~/hooks/use-draft'
import { useTitle } from '~/hooks/use-title'
import { plural } from '~/lib/format-number'
import type { SearchParams } from '~/lib/search-params'
import { TextInput } from '~/ui/field'
import { LoadMore } from '~/ui/load-more'
import { ErrorMessage, Skeleton } from '~/ui/message'
import { Panel } from '~/ui/panel'
import { Snippet } from '~/ui/snippet'
import styles from './registry-page.module.css'

const SEARCH_MILLIS = 250

/** The registries of an entity, the reader's own when none is named. */
export function RegistryPage() {
  const params = useSearch({ strict: false }) as SearchParams
  const { data: session } = useQuery(sessionQuery())
  useLive(null)
  useTitle('Registry')
  const entity = params.entity ?? session?.default_entity
  return (
    <div className={styles.scroller}>
      <div className={styles.page}>{entity !== undefined && <Registries key={entity} entity={entity} />}</div>
    </div>
  )
}

function Registries({ entity }: { entity: string }) {
  const [search, setSearch] = useState('')
  const [draft, setDraft] = useDraft(search, setSearch, SEARCH_MILLIS)
  const query = useInfiniteQuery(collectionsQuery({ entity, project: null, kind: 'registry', search }))
  const collections = query.data?.pages.flatMap((page) => page.collections) ?? []
  const found = registries(collections)
  const none = query.data !== undefined && collections.length === 0 && search === ''
  return (
    <>
      <div className={styles.head}>
        <h1>Registry</h1>
        <span className={styles.count}>
          of {entity}
          {collections.length > 0 && ` · ${plural(collections.length, 'collection')}`}
        </span>
        {!none && (
          <TextInput
            type="search"
            className={styles.search}
            aria-label="Search the registry"
            placeholder="Search the registry"
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
          />
        )}
      </div>
      {query.error !== null ? (
        <ErrorMessage title="Could not read the registry" error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Skeleton height={160} />
      ) : none ? (
        <FirstLink />
      ) : found.length === 0 ? (
        <p className={styles.count}>No collection of a registry has “{search}” in its name.</p>
      ) : (
        found.map((registry) => (
          <Panel
            key={registry.project}
            title={registry.project}
            count={plural(registry.collections.length, 'collection')}
            aside={
              <Link
                to="/$entity/$project/artifacts"
                params={{ entity: registry.entity, project: registry.project }}
                className={styles.open}
              >
                Open
              </Link>
            }
          >
            <RegistryTable registry={registry} />
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
    </>
  )
}

function FirstLink() {
  return (
    <section className={styles.first} aria-label="Link a first version">
      <h2>Link a first version</h2>
      <p className={styles.text}>
        A registry is where people look for what is good: versions of any project under a name of their own, with stages
        such as staging and production as aliases. Link one from its page, or where it is made:
      </p>
      <Snippet label="Copy the Python lines" code={firstLinkLines()} />
    </section>
  )
}
