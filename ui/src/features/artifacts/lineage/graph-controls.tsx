import { CircleHelp, Maximize, Minus, Plus } from 'lucide-react'
import type { PointerEvent } from 'react'
import type { GraphStage } from '~/features/artifacts/lineage/graph-stage'
import { useStoreSelector } from '~/lib/store'
import { IconButton } from '~/ui/button'
import { Popover } from '~/ui/popover'
import styles from './graph-controls.module.css'

const KEYS = [
  ['Arrow keys', 'go from node to node'],
  ['Enter', 'open a group'],
  ['[ and ]', 'hide or show origins and results'],
  ['Home', 'go to the version of this page'],
  ['Shift and arrows', 'move the view'],
  ['+ and −', 'zoom'],
  ['0', 'show all of it'],
  ['Escape', 'select nothing'],
] as const

/** Buttons and a small map over the graph. */
export function GraphControls({ stage, step }: { stage: GraphStage; step: number }) {
  const percent = useStoreSelector(stage.scale, (scale) => Math.round(scale * 100))
  const dragMap = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId)
    if (event.buttons === 0) return
    const box = event.currentTarget.getBoundingClientRect()
    stage.showMapPoint(event.clientX - box.left, event.clientY - box.top)
  }
  return (
    <>
      <div className={styles.buttons} role="toolbar" aria-label="View">
        <IconButton label="Zoom out" onClick={() => stage.zoomSmoothly(1 / step)}>
          <Minus size={15} />
        </IconButton>
        <output className={styles.scale} aria-label="Zoom">
          {percent}%
        </output>
        <IconButton label="Zoom in" onClick={() => stage.zoomSmoothly(step)}>
          <Plus size={15} />
        </IconButton>
        <IconButton label="Show all" onClick={() => stage.fit()}>
          <Maximize size={14} />
        </IconButton>
        <Popover
          label="Keys"
          align="end"
          trigger={(props) => (
            <IconButton label="Keys" {...props}>
              <CircleHelp size={15} />
            </IconButton>
          )}
        >
          {() => <KeyList />}
        </Popover>
      </div>
      <div id="lineage-keys" className="visually-hidden">
        {KEYS.map(([key, does]) => `${key}: ${does}.`).join(' ')}
      </div>
      <canvas
        ref={stage.attachMap}
        className={styles.map}
        aria-hidden
        onPointerDown={dragMap}
        onPointerMove={dragMap}
      />
    </>
  )
}

function KeyList() {
  return (
    <dl className={styles.keys}>
      {KEYS.map(([key, does]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{does}</dd>
        </div>
      ))}
      <div>
        <dt>Ctrl and wheel, pinch</dt>
        <dd>zoom</dd>
      </div>
      <div>
        <dt>Drag, wheel</dt>
        <dd>move the view</dd>
      </div>
    </dl>
  )
}
