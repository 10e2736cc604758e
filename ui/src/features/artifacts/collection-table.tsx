import { Link } from '@tanstack/react-router'
import { Library } from 'lucide-react'
import type { Collection } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { useNow } from '~/hooks/use-now'
import { formatBytes, formatInteger } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import styles from './collection-table.module.css'

interface CollectionTableProps {
  /** Type of all of them. */
  type: string
  collections: readonly Collection[]
  /** Whether headings are seen; of several tables below each other the first one's stand for all. */
  headed: boolean
}

/** Collections of a type: what they are called, and what is newest in them. */
export function CollectionTable({ type, collections, headed }: CollectionTableProps) {
  const now = useNow()
  return (
    <table className={styles.table} aria-label={`Collections of type ${type}`}>
      <colgroup>
        <col className={styles.nameColumn} />
        <col />
        <col className={styles.countColumn} />
        <col className={styles.countColumn} />
        <col className={styles.timeColumn} />
      </colgroup>
      <thead className={headed ? undefined : 'visually-hidden'}>
        <tr>
          <th>Collection</th>
          <th>Newest</th>
          <th className={`${styles.number} ${styles.wide}`}>Versions</th>
          <th className={`${styles.number} ${styles.wide}`}>Size</th>
          <th className={styles.number}>Updated</th>
        </tr>
      </thead>
      <tbody>
        {collections.map((collection) => (
          <Row key={`${collection.project}/${collection.name}`} collection={collection} now={now} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ collection, now }: { collection: Collection; now: number }) {
  const { entity, project, name, kind, latest_version: version } = collection
  const aliases = collection.aliases.filter((each) => each.version === version).map(({ alias }) => alias)
  return (
    <tr>
      <td className={styles.main}>
        <span className={styles.title}>
          <Link to="/$entity/$project/artifacts/$collection" params={{ entity, project, collection: name }}>
            {name}
          </Link>
          {kind === 'registry' && <Library size={13} className={styles.registry} aria-label="Registry" />}
        </span>
      </td>
      <td className={styles.newest}>
        {version === null ? (
          <span className={styles.none}>no versions</span>
        ) : (
          <span className={styles.version}>
            <Link
              to="/$entity/$project/artifacts/$collection/$version"
              params={{ entity, project, collection: name, version }}
              className={styles.number}
              aria-label={`${name}:${version}`}
            >
              {version}
            </Link>
            <AliasChips aliases={aliases} protectedAliases={collection.protected_aliases} />
          </span>
        )}
      </td>
      <td className={`${styles.number} ${styles.wide}`}>{formatInteger(collection.version_count)}</td>
      <td className={`${styles.number} ${styles.wide} ${styles.quiet}`}>{formatBytes(collection.size_bytes)}</td>
      <td className={`${styles.number} ${styles.quiet}`} title={formatDateTime(collection.updated_at)}>
        {formatRelative(collection.updated_at, now)}
      </td>
    </tr>
  )
}
