import { ArrowRight } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ArtifactDiff, DiffChange } from '~/api/types'
import { CHANGES, visibleShares } from '~/features/artifacts/diff/diff-entries'
import { formatBytes, formatInteger } from '~/lib/format-number'
import styles from './diff-summary.module.css'

function countsOf({ added_count, removed_count, changed_count }: ArtifactDiff): Record<DiffChange, number> {
  return { added: added_count, removed: removed_count, changed: changed_count }
}

/** How much came, changed, went and stayed, as a picture. */
export function DiffPicture({ diff }: { diff: ArtifactDiff }) {
  const counts = countsOf(diff)
  const parts = [...CHANGES, 'same' as const]
  const shares = visibleShares(parts.map((part) => (part === 'same' ? diff.unchanged_count : counts[part])))
  return (
    <div
      className={styles.picture}
      role="img"
      aria-label={`${formatInteger(counts.added)} added, ${formatInteger(counts.changed)} changed, ${formatInteger(counts.removed)} removed, ${formatInteger(diff.unchanged_count)} the same`}
    >
      {parts.map((part, index) =>
        shares[index] === 0 ? null : <span key={part} data-change={part} style={{ flexGrow: shares[index] }} />,
      )}
    </div>
  )
}

interface ChangeFilterProps {
  diff: ArtifactDiff
  /** Which changes are listed. */
  changes: ReadonlySet<DiffChange>
  onToggle: (change: DiffChange) => void
}

/** How much came, changed, went and stayed, as numbers; a click on one lists these or leaves them out. */
export function ChangeFilter({ diff, changes, onToggle }: ChangeFilterProps) {
  const counts = countsOf(diff)
  return (
    <fieldset className={styles.filter} aria-label="Changes listed">
      {CHANGES.filter((change) => counts[change] > 0).map((change) => (
        <button
          key={change}
          type="button"
          className={styles.count}
          data-change={change}
          aria-pressed={changes.has(change)}
          title={changes.has(change) ? `Leave out what was ${change}` : `List what was ${change}`}
          onClick={() => onToggle(change)}
        >
          <span className={styles.dot} />
          {formatInteger(counts[change])} {change}
        </button>
      ))}
      <span className={styles.count} data-change="same">
        <span className={styles.dot} />
        {formatInteger(diff.unchanged_count)} the same
      </span>
    </fieldset>
  )
}

/** Sizes and digests. */
export function DiffFacts({ diff: { before, after } }: { diff: ArtifactDiff }) {
  const growth = after.size_bytes - before.size_bytes
  return (
    <div className={styles.facts}>
      <Change name="Size" before={formatBytes(before.size_bytes)} after={formatBytes(after.size_bytes)}>
        {growth !== 0 && (
          <span className={styles.growth}>
            {growth > 0 ? '+' : '\u2212'}
            {formatBytes(Math.abs(growth))}
          </span>
        )}
      </Change>
      <Change name="Digest" before={shortDigest(before.digest)} after={shortDigest(after.digest)}>
        {before.digest === after.digest && <span className={styles.growth}>the same</span>}
      </Change>
    </div>
  )
}

interface ChangeProps {
  name: string
  before: string
  after: string
  children?: ReactNode
}

function Change({ name, before, after, children }: ChangeProps) {
  return (
    <span className={styles.change}>
      <span className={styles.name}>{name}</span>
      {before === after ? (
        after
      ) : (
        <>
          {before} <ArrowRight size={12} aria-label="to" /> {after}
        </>
      )}
      {children}
    </span>
  )
}

function shortDigest(digest: string): string {
  return digest.slice(0, 8)
}
