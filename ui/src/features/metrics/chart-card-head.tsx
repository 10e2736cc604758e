import { Download, Ellipsis, FileSpreadsheet, Link2, Maximize2, RotateCcw } from 'lucide-react'
import type { XAxis } from '~/api/types'
import { chartColors } from '~/charts/chart-colors'
import { chartCsv, chartPng } from '~/charts/export-chart'
import type { Line } from '~/charts/line'
import type { Range } from '~/charts/range'
import { useDark } from '~/hooks/use-theme'
import { downloadBlob, fileNameOf } from '~/lib/download'
import { keyLabel } from '~/lib/key-label'
import { IconButton } from '~/ui/button'
import { copyText } from '~/ui/copy-button'
import { MenuItem, Popover } from '~/ui/popover'
import styles from './chart-card-head.module.css'

interface ChartCardHeadProps {
  /** Unique on the page; a key, for a chart of a metric. */
  name: string
  title: string
  /** What the title alone does not tell. */
  note?: string
  lines: Line[]
  x: XAxis
  zoom: Range | null
  canvas: () => HTMLCanvasElement | null
  onResetZoom: () => void
  onExpand?: () => void
}

export function ChartCardHead(props: ChartCardHeadProps) {
  const { name, title, note, lines, x, zoom, canvas, onResetZoom, onExpand } = props
  return (
    <header className={styles.head}>
      <h3 className={styles.title} title={name}>
        {title}
        {note !== undefined && <span className={styles.note}>{note}</span>}
      </h3>
      <div className={styles.actions}>
        {zoom !== null && (
          <IconButton label="Reset zoom" onClick={onResetZoom}>
            <RotateCcw size={13} />
          </IconButton>
        )}
        {onExpand !== undefined && (
          <IconButton label={`Expand ${name}`} onClick={onExpand}>
            <Maximize2 size={13} />
          </IconButton>
        )}
        <ChartMenu name={name} lines={lines} x={x} zoom={zoom} canvas={canvas} />
      </div>
    </header>
  )
}

const X_COLUMN = { step: 'step', relative_time: 'seconds', wall_time: 'unix_seconds' } as const

type ChartMenuProps = Pick<ChartCardHeadProps, 'name' | 'lines' | 'x' | 'zoom' | 'canvas'>

export function ChartMenu({ name, lines, x, zoom, canvas }: ChartMenuProps) {
  const dark = useDark()
  const xName = x.kind === 'metric' ? x.key : X_COLUMN[x.kind]
  const file = fileNameOf(name)
  const savePng = async () => {
    const drawn = canvas()
    if (drawn === null) return
    const png = await chartPng(drawn, keyLabel(name), lines, chartColors(dark))
    if (png !== null) downloadBlob(png, `${file}.png`)
  }
  return (
    <Popover
      label={`Actions for chart ${name}`}
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label={`Actions for chart ${name}`} {...props}>
          <Ellipsis size={14} />
        </IconButton>
      )}
    >
      {(close) => {
        const pick = (action: () => void) => () => {
          close()
          action()
        }
        return (
          <>
            <MenuItem
              icon={<FileSpreadsheet size={14} />}
              disabled={lines.length === 0}
              onClick={pick(() =>
                downloadBlob(new Blob([chartCsv(lines, xName, zoom)], { type: 'text/csv' }), `${file}.csv`),
              )}
            >
              Download CSV
            </MenuItem>
            <MenuItem icon={<Download size={14} />} disabled={lines.length === 0} onClick={pick(() => void savePng())}>
              Download PNG
            </MenuItem>
            <MenuItem icon={<Link2 size={14} />} onClick={pick(() => void copyText(name))}>
              Copy key
            </MenuItem>
          </>
        )
      }}
    </Popover>
  )
}
