import { highlightStore } from '~/charts/cursor-store'
import { type TooltipRow, windowRows } from '~/charts/nearest'
import { formatInteger } from '~/lib/format-number'
import { useStore } from '~/lib/store'
import { formatUnit, type Unit } from '~/lib/units'
import styles from './mirrored-tooltip.module.css'

export interface MirrorState {
  /** Of the crosshair within the chart's box, CSS pixels. */
  left: number
  /** Width of the chart's box. */
  width: number
  rows: TooltipRow[]
}

const MAX_ROWS = 5
const GAP = 8

/** The values at the crosshair while the pointer is over another chart: what that one's tooltip says, in little room. */
export function MirroredTooltip({ state, alone, unit }: { state: MirrorState; alone: boolean; unit: Unit }) {
  const highlighted = useStore(highlightStore)
  const center = state.rows.find(({ run }) => run === highlighted) ?? null
  const { rows, hidden } = windowRows(state.rows, center, MAX_ROWS)
  const place =
    state.left > state.width / 2
      ? { right: state.width - state.left + GAP, top: 4 }
      : { left: state.left + GAP, top: 4 }
  return (
    <ul className={styles.box} style={place} aria-hidden>
      {rows.map((row) => (
        <li key={row.run} className={styles.row} data-highlighted={row === center || undefined}>
          <span className={styles.dot} style={{ background: row.color }} />
          {!alone && <span className={styles.name}>{row.name}</span>}
          <span className={styles.value}>{formatUnit(row.value, unit)}</span>
        </li>
      ))}
      {hidden > 0 && <li className={styles.more}>+{formatInteger(hidden)}</li>}
    </ul>
  )
}
