import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Run } from '~/api/types'
import { FileList } from '~/features/files/file-list'
import { FilePreview } from '~/features/files/file-preview'
import { filesQuery, MAX_FILES } from '~/features/files/file-queries'
import { fileRows, searchFiles } from '~/features/files/file-tree'
import { formatBytes, formatInteger, plural } from '~/lib/format-number'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import { SearchBar } from '~/ui/search-bar'
import styles from './files-tab.module.css'

/** The files that were saved with a run, as a tree, and one of them beside it. */
export function FilesTab({ run }: { run: Run }) {
  const { data: files, error, refetch } = useQuery(filesQuery(run))
  const [search, setSearch] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [chosen, setChosen] = useState<string | null>(null)
  const found = useMemo(() => searchFiles(files ?? [], search), [files, search])
  // What a search finds is shown, wherever it is.
  const rows = useMemo(() => fileRows(found, search === '' ? closed : new Set<string>()), [found, search, closed])
  const bytes = useMemo(() => found.reduce((sum, file) => sum + file.size_bytes, 0), [found])
  const file = files?.find(({ path }) => path === chosen)
  const toggle = (path: string) => {
    const next = new Set(closed)
    if (!next.delete(path)) next.add(path)
    setClosed(next)
  }
  if (files === undefined) {
    if (error !== null)
      return <ErrorMessage title="Could not read the files" error={error} onRetry={() => void refetch()} />
    return (
      <div className={styles.loading}>
        <Skeleton height={200} />
      </div>
    )
  }
  if (files.length === 0) {
    return (
      <Message title="No files yet">
        Save some with <code>run.save("checkpoints/*.pt")</code>; they show up here while the run goes on.
      </Message>
    )
  }
  return (
    <div className={styles.page}>
      <SearchBar
        label="Search files"
        placeholder="Search files"
        value={search}
        onChange={setSearch}
        count={
          <>
            {files.length >= MAX_FILES && `first ${formatInteger(MAX_FILES)} files · `}
            {plural(found.length, 'file')} · {formatBytes(bytes)}
          </>
        }
      />
      <div className={styles.panes} data-chosen={file !== undefined || undefined}>
        <FileList run={run} rows={rows} closed={closed} chosen={chosen} onToggle={toggle} onChoose={setChosen} />
        {file !== undefined && <FilePreview run={run} file={file} onClose={() => setChosen(null)} />}
      </div>
    </div>
  )
}
