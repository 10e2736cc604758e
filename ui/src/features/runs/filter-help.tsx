import { CircleQuestionMark } from 'lucide-react'
import { IconButton } from '~/ui/button'
import { Popover } from '~/ui/popover'
import styles from './filter-help.module.css'

const EXAMPLES: [filter: string, meaning: string][] = [
  ['state = "running"', 'going on now'],
  ['state in ("failed", "crashed")', 'ended badly'],
  ['config.lr >= 0.001', 'by config'],
  ['summary.loss < 0.1 and not tags = "old"', 'by the last value, and by tag'],
  ['name ~ "adam" or group = "sweep"', 'by part of the name, or by group'],
  ['duration > 3600', 'longer than an hour'],
]

/** How to write a filter, by examples that a click takes over. */
export function FilterHelp({ className, onPick }: { className?: string; onPick: (filter: string) => void }) {
  return (
    <Popover
      label="How to filter runs"
      align="end"
      trigger={(props) => (
        <IconButton label="How to filter runs" className={className} {...props}>
          <CircleQuestionMark size={14} />
        </IconButton>
      )}
    >
      {(close) => (
        <div className={styles.help}>
          <p className={styles.intro}>
            Text finds names, ids, groups, tags and notes. A filter compares fields; click an example to start from it:
          </p>
          {EXAMPLES.map(([filter, meaning]) => (
            <button
              key={filter}
              type="button"
              className={styles.example}
              onClick={() => {
                close()
                onPick(filter)
              }}
            >
              <code>{filter}</code>
              <span className={styles.meaning}>{meaning}</span>
            </button>
          ))}
          <p className={styles.more}>
            Fields: <code>id name state group job_type tags notes duration last_step row_count</code>,{' '}
            <code>config.…</code> and <code>summary.…</code>; backticks around unusual names.
          </p>
        </div>
      )}
    </Popover>
  )
}
