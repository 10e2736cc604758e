import { useInfiniteQuery } from '@tanstack/react-query'
import { Compass } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { ApiError } from '~/api/client'
import type { Artifact, DiffChange } from '~/api/types'
import { CHANGES, filterEntries, movesOf } from '~/features/artifacts/diff/diff-entries'
import { DiffList } from '~/features/artifacts/diff/diff-list'
import { diffQuery, MAX_ENTRIES } from '~/features/artifacts/diff/diff-queries'
import { ChangeFilter, DiffFacts, DiffPicture } from '~/features/artifacts/diff/diff-summary'
import { EntryComparison } from '~/features/artifacts/diff/entry-comparison'
import { metadataDiff } from '~/features/artifacts/diff/metadata-diff'
import { MetadataTable } from '~/features/artifacts/diff/metadata-table'
import { formatInteger, plural } from '~/lib/format-number'
import { Segmented } from '~/ui/field'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { SearchBar } from '~/ui/search-bar'
import styles from './diff-content.module.css'

type Part = 'files' | 'metadata'

interface DiffContentProps {
  artifact: Artifact
  /** The version it is compared with. */
  other: string
  /** What chooses that. */
  choice: ReactNode
}

/** What became of the files and the metadata of a version since another one. */
export function DiffContent({ artifact, other, choice }: DiffContentProps) {
  const diff = useInfiniteQuery(diffQuery(artifact, other))
  const [part, setPart] = useState<Part>('files')
  const [search, setSearch] = useState('')
  const [changes, setChanges] = useState<ReadonlySet<DiffChange>>(new Set(CHANGES))
  const [chosen, setChosen] = useState<string | null>(null)
  const entries = useMemo(() => diff.data?.pages.flatMap((page) => page.entries) ?? [], [diff.data])
  const found = useMemo(() => filterEntries(entries, search, changes), [entries, search, changes])
  const moves = useMemo(() => movesOf(entries), [entries])
  const head = diff.data?.pages[0]
  const values = useMemo(
    () => (head === undefined ? [] : metadataDiff(head.before.metadata, head.after.metadata)),
    [head],
  )
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = diff
  const isFiltered = found !== entries
  // What is looked for may stand on any page.
  useEffect(() => {
    if (isFiltered && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [isFiltered, hasNextPage, isFetchingNextPage, fetchNextPage])

  if (head === undefined) {
    return (
      <>
        <div className={styles.top}>{choice}</div>
        {diff.error instanceof ApiError && diff.error.kind === 'not_found' ? (
          <Message title={`There is no ${other}`} icon={<Compass size={20} />}>
            It may have been deleted. Choose another version to compare with.
          </Message>
        ) : diff.error !== null ? (
          <ErrorMessage title="Could not compare the versions" error={diff.error} onRetry={() => void diff.refetch()} />
        ) : (
          <div className={styles.loading}>
            <Skeleton height={220} />
          </div>
        )}
      </>
    )
  }
  const total = head.added_count + head.removed_count + head.changed_count
  const entry = entries.find(({ path }) => path === chosen)
  const toggle = (change: DiffChange) => {
    const next = new Set(changes)
    if (!next.delete(change)) next.add(change)
    setChanges(next)
  }
  return (
    <>
      <div className={styles.top}>
        {choice}
        <DiffFacts diff={head} />
      </div>
      <DiffPicture diff={head} />
      <SearchBar
        label="Search changed files"
        placeholder="Search changed files"
        value={search}
        onChange={setSearch}
        count={isFiltered ? `${formatInteger(found.length)} of ${plural(total, 'path')}` : null}
      >
        <ChangeFilter diff={head} changes={changes} onToggle={toggle} />
        <Segmented
          label="Compare"
          value={part}
          options={[
            { value: 'files', label: 'Files' },
            { value: 'metadata', label: `Metadata ${values.length === 0 ? '' : formatInteger(values.length)}`.trim() },
          ]}
          onChange={setPart}
        />
      </SearchBar>
      {part === 'metadata' ? (
        <MetadataTable changes={values} before={head.before.version} after={head.after.version} />
      ) : total === 0 ? (
        <Message title="All files are the same">
          {head.before.version} and {head.after.version} have the same {plural(head.unchanged_count, 'file')}.
        </Message>
      ) : (
        <div className={styles.panes} data-chosen={entry !== undefined || undefined}>
          <DiffList
            entries={found}
            moves={moves}
            chosen={chosen}
            end={
              hasNextPage
                ? 'Reading on …'
                : entries.length < total
                  ? `These are the first ${formatInteger(MAX_ENTRIES)} of ${plural(total, 'path')}.`
                  : null
            }
            onChoose={(path) => setChosen(path === chosen ? null : path)}
            onEnd={() => {
              if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
            }}
          />
          {entry !== undefined && (
            <EntryComparison
              key={entry.path}
              entry={entry}
              movedFrom={moves.get(entry.path) ?? null}
              before={head.before}
              after={head.after}
              onClose={() => setChosen(null)}
            />
          )}
        </div>
      )}
    </>
  )
}
