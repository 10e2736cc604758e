import { Download, Ellipsis, FileSpreadsheet, Link2, Maximize2, RotateCcw } from 'lucide-react'
import type { MetricKey } from '~/api/types'
import { chartColors } from '~/charts/chart-colors'
import { chartCsv, chartPng } from '~/charts/export-chart'
import type { Line } from '~/charts/line'
import type { Range } from '~/charts/range'
import type { ChartView } from '~/features/metrics/chart-view'
import { chartTitle } from '~/features/metrics/sections'
import { useDark } from '~/hooks/use-theme'
import { downloadBlob, fileNameOf } from '~/lib/download'
import { keyLabel } from '~/lib/key-label'
import { IconButton } from '~/ui/button'
import { copyText } from '~/ui/copy-button'
import { MenuItem, Popover } from '~/ui/popover'
import styles from './chart-card-head.module.css'

interface ChartCardHeadProps {
  metric: MetricKey
  lines: Line[]
  view: ChartView
  zoom: Range | null
  canvas: () => HTMLCanvasElement | null
  onResetZoom: () => void
  onExpand?: () => void
}

export function ChartCardHead({ metric, lines, view, zoom, canvas, onResetZoom, onExpand }: ChartCardHeadProps) {
  const title = chartTitle(metric.key)
  return (
    <header className={styles.head}>
      <h3 className={styles.title} title={metric.key}>
        {title}
      </h3>
      <div className={styles.actions}>
        {zoom !== null && (
          <IconButton label="Reset zoom" onClick={onResetZoom}>
            <RotateCcw size={13} />
          </IconButton>
        )}
        {onExpand !== undefined && (
          <IconButton label={`Expand ${metric.key}`} onClick={onExpand}>
            <Maximize2 size={13} />
          </IconButton>
        )}
        <ChartMenu metric={metric} lines={lines} view={view} zoom={zoom} canvas={canvas} />
      </div>
    </header>
  )
}

const X_COLUMN = { step: 'step', relative_time: 'seconds', wall_time: 'unix_seconds' } as const

export function ChartMenu({ metric, lines, view, zoom, canvas }: Omit<ChartCardHeadProps, 'onResetZoom' | 'onExpand'>) {
  const dark = useDark()
  const xName = view.x.kind === 'metric' ? view.x.key : X_COLUMN[view.x.kind]
  const file = fileNameOf(metric.key)
  const savePng = async () => {
    const drawn = canvas()
    if (drawn === null) return
    const png = await chartPng(drawn, keyLabel(metric.key), lines, chartColors(dark))
    if (png !== null) downloadBlob(png, `${file}.png`)
  }
  return (
    <Popover
      label={`Actions for chart ${metric.key}`}
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label={`Actions for chart ${metric.key}`} {...props}>
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
            <MenuItem icon={<Link2 size={14} />} onClick={pick(() => void copyText(metric.key))}>
              Copy key
            </MenuItem>
          </>
        )
      }}
    </Popover>
  )
}
