import { useQuery } from '@tanstack/react-query'
import { parse } from 'papaparse'
import { useMemo } from 'react'
import type { Artifact, ArtifactEntry } from '~/api/types'
import { entryTextQuery } from '~/features/artifacts/files/entry-queries'
import { delimitedTable, readTable, type TableData } from '~/features/artifacts/files/table-data'
import { TableView } from '~/features/artifacts/files/table-view'
import { TextView } from '~/features/artifacts/files/text-view'
import styles from '~/features/files/file-preview.module.css'
import { formatBytes } from '~/lib/format-number'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import ownStyles from './table-file.module.css'

/** So much of a file of lines is read. */
const DELIMITED_BYTES = 8 * 1024 * 1024
/** JSON can only be read whole. */
const TABLE_BYTES = 64 * 1024 * 1024

/** A file with a table in it. */
export function TableFile({ artifact, entry }: { artifact: Artifact; entry: ArtifactEntry }) {
  const whole = entry.path.endsWith('.json')
  const size = entry.size_bytes ?? 0
  const tooLarge = whole && size > TABLE_BYTES
  const limit = whole ? TABLE_BYTES : DELIMITED_BYTES
  const { data: text, error, refetch } = useQuery({ ...entryTextQuery(artifact, entry, limit), enabled: !tooLarge })
  const table = useMemo(
    () => (text === undefined ? undefined : readAny(entry, text, size > limit)),
    [entry, text, size, limit],
  )
  if (tooLarge) {
    return (
      <Message title="Too large to show">
        Tables of up to {formatBytes(TABLE_BYTES)} are shown; this one can be downloaded.
      </Message>
    )
  }
  if (table === undefined) {
    return (
      <div className={styles.body}>
        {error === null ? (
          <Skeleton height={240} />
        ) : (
          <ErrorMessage title="Could not read the file" error={error} onRetry={() => void refetch()} />
        )}
      </div>
    )
  }
  if (table instanceof Error) {
    return (
      <>
        <p className={ownStyles.note} role="alert">
          This cannot be shown as a table: {table.message}.
        </p>
        <TextView artifact={artifact} entry={entry} kind="text" />
      </>
    )
  }
  if (table.columns.length === 0) return <Message title="Empty">The table has no columns.</Message>
  return (
    <>
      <TableView artifact={artifact} table={table} />
      {table.cut && (
        <p className={ownStyles.note}>
          The rows in the first {formatBytes(limit)}; download the file to see all of them.
        </p>
      )}
    </>
  )
}

function readAny(entry: ArtifactEntry, text: string, cut: boolean): TableData | Error {
  try {
    if (entry.path.endsWith('.json')) return readTable(text)
    const delimiter = entry.media_type === 'text/tab-separated-values' ? '\t' : ''
    return delimitedTable(parse<string[]>(text, { delimiter }).data, cut)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
