import { useDraft } from '~/hooks/use-draft'
import styles from './smoothing-slider.module.css'

/** Browsers allow only so many address changes a second, and the address holds the weight. */
const SETTLE_MILLIS = 90

export function SmoothingSlider({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const [draft, setDraft] = useDraft(value, onChange, SETTLE_MILLIS)
  return (
    <label className={styles.slider} title="Weight of the moving average">
      <span className={styles.label}>Smoothing</span>
      <input
        type="range"
        aria-label="Smoothing"
        min={0}
        max={0.99}
        step={0.01}
        value={draft}
        onChange={(event) => setDraft(Number(event.target.value))}
        onDoubleClick={() => setDraft(0)}
      />
      <output className={styles.value}>{draft === 0 ? 'off' : draft.toFixed(2)}</output>
    </label>
  )
}
