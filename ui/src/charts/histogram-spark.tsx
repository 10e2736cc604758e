import { type Histogram, totalOf } from '~/charts/histogram'
import { formatInteger, formatValue } from '~/lib/format-number'
import styles from './histogram-spark.module.css'

const HEIGHT = 16

/** A histogram as small as a word: its shape, and how many numbers from where to where. */
export function HistogramSpark({ histogram }: { histogram: Histogram }) {
  const { counts, edges } = histogram
  const highest = Math.max(...counts, 1)
  const total = totalOf(histogram)
  const ends = [edges[0], edges[edges.length - 1]].map((edge) => formatValue(edge, 3))
  const range = `${ends[0]} … ${ends[1]}`
  return (
    <span className={styles.spark} title={`${formatInteger(total)} numbers, ${range}`}>
      <svg
        className={styles.bars}
        viewBox={`0 0 ${counts.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Histogram of ${formatInteger(total)} numbers`}
      >
        {counts.map((count, bin) => {
          const height = count === 0 ? 0 : Math.max(1, (count / highest) * HEIGHT)
          // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
          return <rect key={bin} x={bin} width={0.85} y={HEIGHT - height} height={height} />
        })}
      </svg>
      <span className={styles.range}>{range}</span>
    </span>
  )
}
