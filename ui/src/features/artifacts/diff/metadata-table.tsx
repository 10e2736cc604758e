import type { MetadataChange } from '~/features/artifacts/diff/metadata-diff'
import { formatJson } from '~/features/runs/run-values'
import { Message } from '~/ui/message'
import styles from './metadata-table.module.css'

interface MetadataTableProps {
  changes: readonly MetadataChange[]
  /** Versions. */
  before: string
  after: string
}

/** The values that are not the same, side by side. */
export function MetadataTable({ changes, before, after }: MetadataTableProps) {
  if (changes.length === 0) return <Message title="The metadata is the same" />
  return (
    <div className={styles.scroller}>
      <table className={styles.table} aria-label="Metadata">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">{before}</th>
            <th scope="col">{after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ path, change, before: was, after: is }) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td data-change={change === 'added' ? undefined : 'removed'}>
                {was === undefined ? '' : <span>{formatJson(was)}</span>}
              </td>
              <td data-change={change === 'removed' ? undefined : 'added'}>
                {is === undefined ? '' : <span>{formatJson(is)}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
