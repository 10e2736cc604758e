import type { RefObject } from 'react'
import { createPortal } from 'react-dom'
import { describeX, type XKind } from '~/charts/axis-format'
import type { Mark } from '~/charts/draw'
import { type TooltipRow, windowRows } from '~/charts/nearest'
import { formatInteger } from '~/lib/format-number'
import { formatUnit, type Unit } from '~/lib/units'
import styles from './chart-tooltip.module.css'

export interface TooltipState {
  x: number
  /** Of the pointer within the plotting area, CSS pixels. */
  left: number
  top: number
  rows: TooltipRow[]
  nearest: TooltipRow | null
  /** Whether the pointer is near enough to `nearest` to mean it. */
  pointed: boolean
  /** The marks at the pointer. */
  marks: Mark[]
}

const MAX_ROWS = 10
const MAX_MARKS = 3
const WIDTH = 300
const OFFSET = 18

/** Values of all runs at the pointer; drawn above everything so that no chart's edge cuts it. */
export function ChartTooltip({
  state,
  xKind,
  xLabel,
  unit,
  host,
}: {
  state: TooltipState
  xKind: XKind
  xLabel: string | null
  unit: Unit
  host: RefObject<HTMLElement | null>
}) {
  const over = host.current?.querySelector('.u-over')?.getBoundingClientRect()
  if (over === undefined) return null
  const { rows, hidden } = windowRows(state.rows, state.nearest, MAX_ROWS)
  const pointerX = over.left + state.left
  const pointerY = over.top + state.top
  const left = pointerX + OFFSET + WIDTH > window.innerWidth ? pointerX - OFFSET - WIDTH : pointerX + OFFSET
  const height = 64 + rows.length * 22 + 60
  const top = Math.max(8, Math.min(pointerY - 20, window.innerHeight - height))
  const x = state.nearest?.x ?? state.x
  return createPortal(
    <div className={styles.tooltip} style={{ left: Math.max(8, left), top, width: WIDTH }} role="tooltip">
      <div className={styles.head}>{describeX(x, xKind, xLabel)}</div>
      <ul className={styles.rows}>
        {rows.map((row) => (
          <li
            key={row.run}
            className={styles.row}
            data-nearest={
              row === state.nearest && state.rows.length > 1 ? (state.pointed ? 'pointed' : 'near') : undefined
            }
          >
            <span className={styles.dot} style={{ background: row.color }} />
            <span className={styles.name}>{row.name}</span>
            <span className={styles.value}>
              <NonFinite row={row} />
              {row.original !== null && <span className={styles.original}>{formatUnit(row.original, unit)}</span>}
              {formatUnit(row.value, unit)}
            </span>
          </li>
        ))}
      </ul>
      {hidden > 0 && <div className={styles.more}>…and {formatInteger(hidden)} more</div>}
      {state.marks.slice(0, MAX_MARKS).map((mark, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two marks can say the same, and none of them has a state
        <div key={index} className={styles.event} data-kind={mark.kind}>
          {mark.label}
        </div>
      ))}
      {state.nearest !== null && state.nearest.count > 1 && <Bucket row={state.nearest} unit={unit} />}
    </div>,
    // A modal dialog covers all that is not in it.
    host.current?.closest('dialog') ?? document.body,
  )
}

/** The exact numbers behind one place of a line that stands for several points. */
function Bucket({ row, unit }: { row: TooltipRow; unit: Unit }) {
  const parts: [string, number][] = [
    ['min', row.min],
    ['mean', row.mean],
    ['max', row.max],
    ['last', row.last],
  ]
  return (
    <div className={styles.bucket}>
      <div className={styles.bucketTitle}>
        {row.name} · {formatInteger(row.count)} points
      </div>
      <dl className={styles.parts}>
        {parts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatUnit(value, unit)}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

function NonFinite({ row }: { row: TooltipRow }) {
  const marks: [string, number][] = [
    ['NaN', row.nan],
    ['+∞', row.positiveInfinity],
    ['−∞', row.negativeInfinity],
  ]
  return marks.map(
    ([label, count]) =>
      count > 0 && (
        <span key={label} className={styles.mark}>
          {count > 1 ? `${formatInteger(count)}× ` : ''}
          {label}
        </span>
      ),
  )
}
