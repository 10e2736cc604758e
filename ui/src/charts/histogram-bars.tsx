import { useState } from 'react'
import { binText, type Histogram, shareText, totalOf } from '~/charts/histogram'
import { formatValue } from '~/lib/format-number'
import styles from './histogram-bars.module.css'

/** One histogram as bars, each as wide as its bin. */
export function HistogramBars({ histogram, label }: { histogram: Histogram; label: string }) {
  const [pointed, setPointed] = useState<number | null>(null)
  const { counts, edges } = histogram
  const [low, high] = [edges[0], edges[counts.length]]
  // Bins differ in width: what is seen is how dense they are.
  const densities = counts.map((count, bin) => count / (edges[bin + 1] - edges[bin]))
  const most = Math.max(...densities) || 1
  const place = (edge: number) => (100 * (edge - low)) / (high - low)
  const ticks = [low, (low + high) / 2, high]
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.caption}>
        <span>{label}</span>
        <span className={styles.pointed}>
          {pointed !== null && `${binText(edges, pointed)}: ${shareText(counts[pointed], totalOf(histogram))}`}
        </span>
      </figcaption>
      <svg
        className={styles.bars}
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Bars of ${label}`}
        onPointerLeave={() => setPointed(null)}
      >
        {densities.map((density, bin) => {
          const x = place(edges[bin])
          const height = (100 * density) / most
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
            <g key={bin} data-pointed={pointed === bin || undefined} onPointerEnter={() => setPointed(bin)}>
              <rect className={styles.room} x={x} y={0} width={place(edges[bin + 1]) - x} height={100} />
              <rect className={styles.bar} x={x} y={100 - height} width={place(edges[bin + 1]) - x} height={height} />
            </g>
          )
        })}
      </svg>
      <div className={styles.ticks}>
        {ticks.map((tick) => (
          <span key={tick}>{formatValue(tick, 4)}</span>
        ))}
      </div>
    </figure>
  )
}
