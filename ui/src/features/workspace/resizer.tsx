import type { PointerEvent } from 'react'
import styles from './resizer.module.css'

interface ResizerProps {
  width: number
  min: number
  max: number
  onChange: (width: number) => void
}

const KEY_STEP = 24

/** The line between two panes; drag it or use the arrow keys. */
export function Resizer({ width, min, max, onChange }: ResizerProps) {
  const clamp = (value: number) => Math.max(min, Math.min(max, Math.round(value)))
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    const start = event.clientX
    const target = event.currentTarget
    target.setPointerCapture(event.pointerId)
    const move = (moved: globalThis.PointerEvent) => onChange(clamp(width + moved.clientX - start))
    target.addEventListener('pointermove', move)
    target.addEventListener('pointerup', () => target.removeEventListener('pointermove', move), { once: true })
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged
    <div
      className={styles.resizer}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the run list"
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') onChange(clamp(width - KEY_STEP))
        if (event.key === 'ArrowRight') onChange(clamp(width + KEY_STEP))
      }}
    />
  )
}
