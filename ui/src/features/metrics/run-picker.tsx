import { ChevronDown } from 'lucide-react'
import type { ChartRuns } from '~/features/metrics/use-chart-lines'
import { Choice, Choices } from '~/ui/choices'
import { Popover } from '~/ui/popover'
import styles from './run-picker.module.css'

const MAX_SHOWN = 100

interface RunPickerProps {
  runs: ChartRuns
  /** Path of the run that is shown. */
  run: string
  onChange: (run: string) => void
}

/** Which of the runs a chart shows that can show only one; nothing where there is no choice. */
export function RunPicker({ runs, run, onChange }: RunPickerProps) {
  const look = runs.looks.get(run)
  if (runs.looks.size < 2) return null
  return (
    <Popover
      label="Run of the chart"
      align="end"
      trigger={(props) => (
        <button type="button" className={styles.button} aria-label={`Run: ${look?.name ?? run}`} {...props}>
          <span className={styles.dot} style={{ background: look?.color }} />
          <span className={styles.name}>{look?.name ?? run}</span>
          <ChevronDown size={12} />
        </button>
      )}
    >
      {(close) => (
        <Choices label="Run of the chart">
          {[...runs.looks].slice(0, MAX_SHOWN).map(([path, { name }]) => (
            <Choice
              key={path}
              chosen={path === run}
              onChoose={() => {
                onChange(path)
                close()
              }}
            >
              {name}
            </Choice>
          ))}
        </Choices>
      )}
    </Popover>
  )
}
