import { PALETTE_SIZE, paletteColor } from '~/charts/palette'
import { useDark } from '~/hooks/use-theme'
import { Popover } from '~/ui/popover'
import styles from './color-button.module.css'

interface ColorButtonProps {
  label: string
  color: string
  slot: number
  /** Whether the run is on the charts: the dot is only a ring otherwise. */
  shown: boolean
  onChoose: (slot: number) => void
}

/** The run's colour, and the palette to choose another. */
export function ColorButton({ label, color, slot, shown, onChoose }: ColorButtonProps) {
  return (
    <Popover
      label={label}
      trigger={(props) => (
        <button type="button" className={styles.button} aria-label={label} title="Change colour" {...props}>
          <span className={styles.dot} style={{ color }} data-ring={!shown || undefined} />
        </button>
      )}
    >
      {(close) => (
        <Palette
          slot={slot}
          onChoose={(next) => {
            onChoose(next)
            close()
          }}
        />
      )}
    </Popover>
  )
}

function Palette({ slot, onChoose }: { slot: number; onChoose: (slot: number) => void }) {
  const dark = useDark()
  return (
    <div className={styles.palette}>
      {Array.from({ length: PALETTE_SIZE }, (_, index) => (
        <button
          key={paletteColor(index, dark)}
          type="button"
          className={styles.swatch}
          style={{ background: paletteColor(index, dark) }}
          aria-label={`Colour ${index + 1}`}
          aria-pressed={index === slot}
          onClick={() => onChoose(index)}
        />
      ))}
    </div>
  )
}
