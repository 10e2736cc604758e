import { type CSSProperties, useState } from 'react'
import type { Side } from '~/features/artifacts/diff/use-side-text'
import { api } from '~/lib/path-builder'
import { Segmented } from '~/ui/field'
import styles from './image-comparison.module.css'

type Way = 'beside' | 'swipe'
const WAYS = [
  { value: 'beside', label: 'Side by side' },
  { value: 'swipe', label: 'Swipe' },
] as const

/** Two pictures side by side, or one over the other with an edge that one moves. */
export function ImageComparison({ before, after }: { before: Side; after: Side }) {
  const [way, setWay] = useState<Way>('beside')
  const sides = [before, after].filter(({ entry }) => entry !== null)
  return (
    <div className={styles.pictures}>
      {sides.length === 2 && <Segmented label="Shown" value={way} options={WAYS} onChange={setWay} />}
      {sides.length === 2 && way === 'swipe' ? (
        <Swipe before={before} after={after} />
      ) : (
        <div className={styles.beside} data-count={sides.length}>
          {sides.map((side) => (
            <figure key={side.artifact.version}>
              <Picture side={side} />
              <figcaption>{side.artifact.version}</figcaption>
            </figure>
          ))}
        </div>
      )}
    </div>
  )
}

function Swipe({ before, after }: { before: Side; after: Side }) {
  const [share, setShare] = useState(50)
  return (
    <div className={styles.swipe}>
      <div className={styles.stack} style={{ '--share': `${share}%` } as CSSProperties}>
        <Picture side={before} />
        <Picture side={after} />
        <span className={styles.edge} />
        <input
          type="range"
          min={0}
          max={100}
          value={share}
          aria-label={`How much of ${before.artifact.version} is seen`}
          onChange={(event) => setShare(Number(event.target.value))}
        />
      </div>
      <p className={styles.names}>
        <span>{before.artifact.version}</span>
        <span>{after.artifact.version}</span>
      </p>
    </div>
  )
}

function Picture({ side: { artifact, entry } }: { side: Side }) {
  if (entry === null) return null
  return (
    <img
      className={styles.picture}
      src={api.artifactFile(artifact, entry.path)}
      alt={`${entry.path} in ${artifact.version}`}
    />
  )
}
