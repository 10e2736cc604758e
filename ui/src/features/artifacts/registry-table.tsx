import { Link } from '@tanstack/react-router'
import type { Collection } from '~/api/types'
import { AliasChip } from '~/features/artifacts/alias-chip'
import { otherStages, type Registry } from '~/features/artifacts/registry-stages'
import { useNow } from '~/hooks/use-now'
import { formatInteger } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import styles from './registry-table.module.css'

/** The collections of a registry, and which version stands at which stage. */
export function RegistryTable({ registry }: { registry: Registry }) {
  const now = useNow()
  const { project, collections, stages } = registry
  return (
    <div className={styles.scroller}>
      <table className={styles.table} aria-label={`Collections of ${project}`}>
        <thead>
          <tr>
            <th>Collection</th>
            <th>Type</th>
            {stages.map((stage) => (
              <th key={stage} className={styles.stage}>
                <AliasChip alias={stage} />
              </th>
            ))}
            <th>Newest</th>
            <th className={styles.number}>Versions</th>
            <th className={styles.number}>Updated</th>
          </tr>
        </thead>
        <tbody>
          {collections.map((collection) => (
            <tr key={collection.name}>
              <th scope="row">
                <Link
                  to="/$entity/$project/artifacts/$collection"
                  params={{ entity: collection.entity, project, collection: collection.name }}
                  className={styles.name}
                >
                  {collection.name}
                </Link>
                {otherStages(collection, stages).map(({ alias, version }) => (
                  <span key={alias} className={styles.other}>
                    <AliasChip alias={alias} /> {version}
                  </span>
                ))}
              </th>
              <td className={styles.quiet}>{collection.type}</td>
              {stages.map((stage) => (
                <td key={stage} data-label={stage} className={styles.stage}>
                  <Version
                    collection={collection}
                    version={collection.aliases.find(({ alias }) => alias === stage)?.version}
                    stage={stage}
                  />
                </td>
              ))}
              <td data-label="newest">
                <Version collection={collection} version={collection.latest_version ?? undefined} stage="newest" />
              </td>
              <td className={styles.number}>{formatInteger(collection.version_count)}</td>
              <td className={`${styles.number} ${styles.quiet}`} title={formatDateTime(collection.updated_at)}>
                {formatRelative(collection.updated_at, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface VersionProps {
  collection: Collection
  version: string | undefined
  stage: string
}

function Version({ collection: { entity, project, name }, version, stage }: VersionProps) {
  if (version === undefined) return <span className={styles.none}>–</span>
  return (
    <Link
      to="/$entity/$project/artifacts/$collection/$version"
      params={{ entity, project, collection: name, version }}
      className={styles.version}
      aria-label={`${name}:${version}, ${stage}`}
    >
      {version}
    </Link>
  )
}
