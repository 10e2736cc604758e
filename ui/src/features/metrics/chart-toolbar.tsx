import { RotateCcw, SlidersHorizontal } from 'lucide-react'
import type { MetricKey } from '~/api/types'
import type { ChartSize, ChartView } from '~/features/metrics/chart-view'
import { KeySearch } from '~/features/metrics/key-search'
import { SmoothingSlider } from '~/features/metrics/smoothing-slider'
import { XAxisMenu } from '~/features/metrics/x-axis-menu'
import { Button, IconButton } from '~/ui/button'
import { Checkbox, Segmented } from '~/ui/field'
import { MenuLine, Popover } from '~/ui/popover'
import styles from './chart-toolbar.module.css'

interface ChartToolbarProps {
  keys: readonly MetricKey[]
  found: number
  view: ChartView
  change: (part: Partial<ChartView>) => void
}

export function ChartToolbar({ keys, found, view, change }: ChartToolbarProps) {
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Charts">
      <KeySearch search={view.search} found={found} onChange={(search) => change({ search })} />
      <XAxisMenu
        keys={keys}
        x={view.x}
        ownAxes={view.ownAxes}
        onChange={(x) => change({ x, zoom: null })}
        onOwnAxes={(ownAxes) => change({ ownAxes })}
      />
      <SmoothingSlider value={view.smoothing} onChange={(smoothing) => change({ smoothing })} />
      {view.zoom !== null && (
        <Button onClick={() => change({ zoom: null })}>
          <RotateCcw size={13} /> Reset zoom
        </Button>
      )}
      <DisplayMenu view={view} change={change} />
    </div>
  )
}

const SIZES: { value: ChartSize; label: string }[] = [
  { value: 'small', label: 'Small' },
  { value: 'medium', label: 'Medium' },
  { value: 'large', label: 'Large' },
]

function DisplayMenu({ view, change }: Pick<ChartToolbarProps, 'view' | 'change'>) {
  return (
    <Popover
      label="Display of charts"
      align="end"
      trigger={(props) => (
        <IconButton label="Display of charts" {...props}>
          <SlidersHorizontal size={15} />
        </IconButton>
      )}
    >
      {() => (
        <div className={styles.display}>
          <div className={styles.size}>
            <Segmented label="Chart size" value={view.size} options={SIZES} onChange={(size) => change({ size })} />
          </div>
          <MenuLine />
          <Checkbox checked={view.logX} onChange={(event) => change({ logX: event.target.checked })}>
            Logarithmic x axis
          </Checkbox>
          <Checkbox checked={view.logY} onChange={(event) => change({ logY: event.target.checked })}>
            Logarithmic y axis
          </Checkbox>
          <MenuLine />
          <Checkbox checked={view.bands} onChange={(event) => change({ bands: event.target.checked })}>
            Min/max band
          </Checkbox>
          <Checkbox
            checked={view.ignoreOutliers}
            onChange={(event) => change({ ignoreOutliers: event.target.checked })}
          >
            Fit y to the middle 90 %
          </Checkbox>
          <Checkbox checked={view.linked} onChange={(event) => change({ linked: event.target.checked, zoom: null })}>
            Zoom all charts together
          </Checkbox>
        </div>
      )}
    </Popover>
  )
}
