import { cursorStore, highlightStore } from '~/charts/cursor-store'
import type { Line } from '~/charts/line'
import { nearestIndex } from '~/charts/nearest'
import { formatValue } from '~/lib/format-number'
import { useStore } from '~/lib/store'
import styles from './chart-readout.module.css'

/** The value of the pointed-at run (or of the only one) where the crosshair stands, while it is over another chart. */
export function ChartReadout({ chartId, lines }: { chartId: string; lines: Line[] }) {
  const cursor = useStore(cursorStore)
  const highlighted = useStore(highlightStore)
  if (cursor === null || cursor.source === chartId) return null
  const line = lines.find(({ run }) => run === highlighted) ?? (lines.length === 1 ? lines[0] : undefined)
  if (line === undefined) return null
  const { x } = line.columns
  if (x.length === 0 || cursor.x < x[0] || cursor.x > x[x.length - 1]) return null
  return (
    <span className={styles.readout}>
      <span className={styles.dot} style={{ background: line.color }} />
      {formatValue(line.y[nearestIndex(x, cursor.x)])}
    </span>
  )
}
