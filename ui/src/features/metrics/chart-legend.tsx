import { highlightStore } from '~/charts/cursor-store'
import type { Line } from '~/charts/line'
import { formatInteger } from '~/lib/format-number'
import { useStore } from '~/lib/store'
import { formatUnit, type Unit } from '~/lib/units'
import styles from './chart-legend.module.css'

const MAX_LINES = 200

/** Names and last values of the lines; pointing at one lights its line everywhere. */
export function ChartLegend({ lines, unit = 'none' }: { lines: readonly Line[]; unit?: Unit }) {
  const highlighted = useStore(highlightStore)
  return (
    <ul className={styles.legend} aria-label="Runs of the chart">
      {lines.slice(0, MAX_LINES).map((line) => (
        <li
          key={line.run}
          className={styles.line}
          data-highlighted={line.run === highlighted || undefined}
          onMouseEnter={() => highlightStore.set(line.run)}
          onMouseLeave={() => highlightStore.set(null)}
        >
          <span className={styles.dot} style={{ background: line.color }} />
          <span className={styles.name}>{line.name}</span>
          <span className={styles.value}>
            {line.y.length > 0 ? formatUnit(line.columns.last[line.y.length - 1], unit) : '–'}
          </span>
        </li>
      ))}
      {lines.length > MAX_LINES && <li className={styles.more}>…and {formatInteger(lines.length - MAX_LINES)} more</li>}
    </ul>
  )
}
