import { ArrowDownToLine, ChevronDown, Download, SlidersHorizontal } from 'lucide-react'
import type { ConsoleProcess, Run } from '~/api/types'
import { FindBox } from '~/features/logs/find-box'
import { changeSelection, type LineTime, type LogsView } from '~/features/logs/logs-view'
import { processNames } from '~/features/logs/process-names'
import type { Finds } from '~/features/logs/use-finds'
import { formatCount } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { Button, IconButton } from '~/ui/button'
import { Choice, Choices } from '~/ui/choices'
import { Checkbox, Segmented } from '~/ui/field'
import { MenuLine, Popover } from '~/ui/popover'
import styles from './log-toolbar.module.css'

interface LogToolbarProps {
  run: Run
  view: LogsView
  change: (part: Partial<LogsView>) => void
  processes: readonly ConsoleProcess[]
  finds: Finds
  onFind: (view: LogsView, direction: 1 | -1) => void
  following: boolean
  onFollow: (following: boolean) => void
}

const OUTPUTS = [
  { value: 'all', label: 'All', title: 'Both outputs' },
  { value: 'stdout', label: 'stdout' },
  { value: 'stderr', label: 'stderr' },
] as const

export function LogToolbar(props: LogToolbarProps) {
  const { run, view, change, processes, finds, onFind, following, onFollow } = props
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Console">
      <FindBox view={view} change={change} finds={finds} onFind={onFind} />
      <Segmented
        label="Output"
        value={view.output ?? 'all'}
        options={OUTPUTS}
        onChange={(output) => change(changeSelection({ output: output === 'all' ? null : output }))}
      />
      {processes.length > 1 && (
        <ProcessMenu
          processes={processes}
          stream={view.stream}
          onChange={(stream) => change(changeSelection({ stream }))}
        />
      )}
      <span className={styles.space} />
      {run.state === 'running' && (
        <Button
          className={styles.follow}
          aria-pressed={following}
          title="Stay at the end while lines come (f)"
          onClick={() => onFollow(!following)}
        >
          <ArrowDownToLine size={14} /> Follow
        </Button>
      )}
      <DisplayMenu view={view} change={change} />
      <DownloadMenu run={run} />
    </div>
  )
}

interface ProcessMenuProps {
  processes: readonly ConsoleProcess[]
  stream: string | null
  onChange: (stream: string | null) => void
}

function ProcessMenu({ processes, stream, onChange }: ProcessMenuProps) {
  const names = processNames(processes)
  const chosen = processes.findIndex((process) => process.stream === stream)
  return (
    <Popover
      label="Processes"
      trigger={(props) => (
        <Button {...props}>
          <span className={styles.name}>{chosen < 0 ? 'All processes' : names[chosen]}</span>
          <ChevronDown size={13} />
        </Button>
      )}
    >
      {(close) => {
        const pick = (next: string | null) => () => {
          onChange(next)
          close()
        }
        return (
          <Choices label="Processes" className={styles.processes}>
            <Choice chosen={chosen < 0} onChoose={pick(null)}>
              All processes
            </Choice>
            {processes.map((process, index) => (
              <Choice key={process.stream} chosen={index === chosen} onChoose={pick(process.stream)}>
                {names[index]} <span className={styles.count}>{formatCount(process.line_count)}</span>
              </Choice>
            ))}
          </Choices>
        )
      }}
    </Popover>
  )
}

const TIMES: { value: LineTime; label: string }[] = [
  { value: 'clock', label: 'Clock' },
  { value: 'relative', label: 'Since start' },
  { value: 'none', label: 'None' },
]

function DisplayMenu({ view, change }: Pick<LogToolbarProps, 'view' | 'change'>) {
  return (
    <Popover
      label="Display of lines"
      align="end"
      trigger={(props) => (
        <IconButton label="Display of lines" {...props}>
          <SlidersHorizontal size={15} />
        </IconButton>
      )}
    >
      {() => (
        <div className={styles.display}>
          <div className={styles.times}>
            <Segmented label="Time" value={view.time} options={TIMES} onChange={(time) => change({ time })} />
          </div>
          <MenuLine />
          <Checkbox checked={view.wrap} onChange={(event) => change({ wrap: event.target.checked })}>
            Wrap long lines
          </Checkbox>
        </div>
      )}
    </Popover>
  )
}

const FORMATS = [
  { format: 'text', label: 'Plain text', file: 'log' },
  { format: 'ansi', label: 'Text with colours', file: 'ansi.log' },
  { format: 'jsonl', label: 'JSON lines', file: 'jsonl' },
]

function DownloadMenu({ run }: { run: Run }) {
  return (
    <Popover
      label="Download the console"
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label="Download the console" {...props}>
          <Download size={15} />
        </IconButton>
      )}
    >
      {(close) =>
        FORMATS.map(({ format, label, file }) => (
          <a
            key={format}
            role="menuitem"
            className={styles.download}
            href={api.console(run.entity, run.project, run.id, { format })}
            download={`${run.id}.${file}`}
            onClick={close}
          >
            {label}
          </a>
        ))
      }
    </Popover>
  )
}
