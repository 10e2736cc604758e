import { useMemo } from 'react'
import { tableDiff } from '~/features/artifacts/diff/table-diff'
import { TextComparison } from '~/features/artifacts/diff/text-comparison'
import { type Side, useSideText } from '~/features/artifacts/diff/use-side-text'
import { readTable, type TableData } from '~/features/artifacts/files/table-data'
import { formatBytes, formatInteger } from '~/lib/format-number'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './table-comparison.module.css'

/** A table is read whole: its rows are not in any order that one could trust. */
const TABLE_BYTES = 16 * 1024 * 1024
const NO_TABLE: TableData = { columns: [], rows: [], cut: false }

/** Two tables in numbers: columns, and rows that came and went. */
export function TableComparison({ before, after }: { before: Side; after: Side }) {
  const isLarge = [before, after].some(({ entry }) => (entry?.size_bytes ?? 0) > TABLE_BYTES)
  const old = useSideTable(before, !isLarge)
  const now = useSideTable(after, !isLarge)
  const diff = useMemo(
    () => (old.table == null || now.table == null ? undefined : tableDiff(old.table, now.table)),
    [old.table, now.table],
  )
  if (isLarge) {
    return (
      <Message title="The table is too large to be compared here">
        Tables of up to {formatBytes(TABLE_BYTES)} are. Download both to compare them.
      </Message>
    )
  }
  if (old.table === null || now.table === null) return <TextComparison before={before} after={after} isJson />
  const failed = [old, now].find(({ error }) => error !== null)
  if (failed !== undefined)
    return <ErrorMessage title="Could not read the table" error={failed.error} onRetry={failed.retry} />
  if (diff === undefined) {
    return (
      <div className={styles.loading}>
        <Skeleton height={120} />
      </div>
    )
  }
  const { rowCounts, sharedColumns, addedColumns, removedColumns, addedRows, removedRows, sameRows } = diff
  return (
    <div className={styles.summary}>
      <dl className={styles.facts} aria-label="Rows">
        <Fact name={`Rows in ${before.artifact.version}`} value={formatInteger(rowCounts[0])} />
        <Fact name={`Rows in ${after.artifact.version}`} value={formatInteger(rowCounts[1])} />
        <Fact name="The same" value={formatInteger(sameRows)} />
        <Fact name="Came" value={`+${formatInteger(addedRows)}`} change="added" />
        <Fact name="Went" value={`\u2212${formatInteger(removedRows)}`} change="removed" />
      </dl>
      <p className={styles.note}>A row whose values changed counts as one that went and one that came.</p>
      <h3>Columns</h3>
      <ul className={styles.columns}>
        {addedColumns.map((name) => (
          <li key={`added ${name}`} data-change="added" title={`Only in ${after.artifact.version}`}>
            + {name}
          </li>
        ))}
        {removedColumns.map((name) => (
          <li key={`removed ${name}`} data-change="removed" title={`Only in ${before.artifact.version}`}>
            {'\u2212'} {name}
          </li>
        ))}
        {sharedColumns.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </div>
  )
}

function Fact({ name, value, change }: { name: string; value: string; change?: 'added' | 'removed' }) {
  return (
    <div data-change={change}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

/** The table of a side; `null` when the file is none. */
function useSideTable(side: Side, enabled: boolean) {
  const { text, ...rest } = useSideText(side, TABLE_BYTES, enabled)
  const isThere = side.entry !== null
  const table = useMemo(() => {
    if (!isThere) return NO_TABLE
    return text === undefined ? undefined : readOrNull(text)
  }, [isThere, text])
  return { table, ...rest }
}

function readOrNull(text: string): TableData | null {
  try {
    return readTable(text)
  } catch {
    return null
  }
}
