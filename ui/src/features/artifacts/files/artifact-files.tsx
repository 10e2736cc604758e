import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Artifact, ArtifactEntryList } from '~/api/types'
import { EntryList } from '~/features/artifacts/files/entry-list'
import { EntryPreview } from '~/features/artifacts/files/entry-preview'
import { foundEntriesQuery } from '~/features/artifacts/files/entry-queries'
import type { EntryRow } from '~/features/artifacts/files/entry-rows'
import { useEntryTree } from '~/features/artifacts/files/use-entry-tree'
import styles from '~/features/files/files-tab.module.css'
import { useDraft } from '~/hooks/use-draft'
import { formatBytes, formatInteger, plural } from '~/lib/format-number'
import { ErrorMessage, Message } from '~/ui/message'
import { SearchBar } from '~/ui/search-bar'

const SEARCH_MILLIS = 250

interface ArtifactFilesProps {
  artifact: Artifact
  /** Path of the file beside the tree. */
  chosen: string | null
  onChoose: (path: string | null) => void
}

/** The files of a version as a tree, and one of them beside it. */
export function ArtifactFiles({ artifact, chosen, onChoose }: ArtifactFilesProps) {
  const [search, setSearch] = useState('')
  const [draft, setDraft] = useDraft(search, setSearch, SEARCH_MILLIS)
  const tree = useEntryTree(artifact, chosen)
  const found = useInfiniteQuery({ ...foundEntriesQuery(artifact, search), enabled: search !== '' })
  const foundRows = useMemo(() => rowsOf(found.data?.pages ?? []), [found.data])
  if (artifact.file_count === 0) {
    return <Message title="No files">This version has nothing but what is said about it.</Message>
  }
  const searching = search !== ''
  const files = foundRows.filter(({ kind }) => kind === 'file').length
  return (
    <div className={styles.page}>
      <SearchBar
        label="Search files"
        placeholder="Search files"
        value={draft}
        onChange={setDraft}
        count={
          !searching
            ? `${plural(artifact.file_count, 'file')} · ${formatBytes(artifact.size_bytes)}`
            : found.data !== undefined &&
              (found.hasNextPage ? `more than ${formatInteger(files)} files` : `${plural(files, 'file')} found`)
        }
      />
      <div className={styles.panes} data-chosen={chosen !== null || undefined}>
        {searching && found.data === undefined && found.error !== null ? (
          <ErrorMessage title="Could not search" error={found.error} onRetry={() => void found.refetch()} />
        ) : searching && found.data !== undefined && files === 0 ? (
          <Message title="No such file">No path has “{search}” in it.</Message>
        ) : (
          <EntryList
            // Another list begins at its top.
            key={search}
            artifact={artifact}
            rows={searching ? foundRows : tree.rows}
            chosen={chosen}
            onToggle={tree.toggle}
            onChoose={onChoose}
            onMore={(folder) => {
              if (!searching) tree.readOn(folder)
              else if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage()
            }}
            onRetry={tree.retry}
          />
        )}
        {chosen !== null && <EntryPreview key={chosen} artifact={artifact} path={chosen} onChoose={onChoose} />}
      </div>
    </div>
  )
}

/** What a search found, by whole path. */
function rowsOf(pages: readonly ArtifactEntryList[]): EntryRow[] {
  const rows = pages.flatMap((page) =>
    page.entries.map((entry): EntryRow => ({ kind: 'file', path: entry.path, name: entry.path, depth: 0, entry })),
  )
  const complete = pages.length > 0 && pages[pages.length - 1].next_cursor === null
  return complete ? rows : [...rows, { kind: 'more', path: '', depth: 0, pages: pages.length }]
}
