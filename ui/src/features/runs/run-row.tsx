import { Link } from '@tanstack/react-router'
import { Eye, EyeOff, GitFork } from 'lucide-react'
import { memo } from 'react'
import type { Run } from '~/api/types'
import { highlightStore } from '~/charts/cursor-store'
import { ColorButton } from '~/features/runs/color-button'
import { RunMenu } from '~/features/runs/run-menu'
import {
  type Differences,
  fieldLabel,
  formatField,
  isNumberField,
  isUnusual,
  runDuration,
} from '~/features/runs/run-values'
import { formatInteger } from '~/lib/format-number'
import { formatAge, formatDateTime, formatDuration } from '~/lib/format-time'
import { runPath } from '~/lib/path-builder'
import { useStoreSelector } from '~/lib/store'
import { IconButton } from '~/ui/button'
import { StateMark } from '~/ui/state-badge'
import styles from './run-row.module.css'

export interface RunRowActions {
  toggle: (run: Run, visible: boolean) => void
  only: (run: Run) => void
  setColor: (run: Run, slot: number) => void
}

interface RunRowProps {
  run: Run
  visible: boolean
  color: string
  slot: number
  columns: readonly string[]
  columnWidth: number
  differences: Differences
  now: number
  indent: boolean
  showAge: boolean
  actions: RunRowActions
}

export const RunRow = memo(function RunRow(props: RunRowProps) {
  const { run, visible, color, slot, columns, columnWidth, differences, now, indent, showAge, actions } = props
  const path = runPath(run.entity, run.project, run.id)
  const highlighted = useStoreSelector(highlightStore, (current) => current === path)
  const age = run.state === 'running' ? formatDuration(runDuration(run, now)) : formatAge(run.created_at, now)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hovering only mirrors what the charts show
    <div
      className={styles.row}
      data-hidden={!visible || undefined}
      data-highlighted={highlighted || undefined}
      data-indent={indent || undefined}
      onMouseEnter={() => visible && highlightStore.set(path)}
      onMouseLeave={() => highlightStore.set(null)}
    >
      <div className={styles.fixed}>
        <IconButton
          label={visible ? `Hide ${run.name}` : `Show ${run.name}`}
          active={undefined}
          className={styles.eye}
          onClick={(event) => (event.altKey ? actions.only(run) : actions.toggle(run, visible))}
        >
          {visible ? <Eye size={14} /> : <EyeOff size={14} />}
        </IconButton>
        <ColorButton
          label={`Colour of ${run.name}`}
          color={color}
          slot={slot}
          shown={visible}
          onChoose={(next) => actions.setColor(run, next)}
        />
        <Link
          to="/$entity/$project/runs/$id"
          params={{ entity: run.entity, project: run.project, id: run.id }}
          className={styles.name}
          title={run.tags.length > 0 ? `${run.name}\n${run.tags.join(', ')}` : run.name}
        >
          {run.name}
        </Link>
        <span className={styles.tail}>
          {showAge && (
            <span className={styles.age} title={`Started ${formatDateTime(run.created_at)}`}>
              {age}
            </span>
          )}
          {run.fork_from !== null && (
            <span
              className={styles.fork}
              role="img"
              aria-label={`Forked from ${run.fork_from.run}`}
              title={`Forked from ${run.fork_from.run} at step ${formatInteger(run.fork_from.step)}`}
            >
              <GitFork size={12} />
            </span>
          )}
          <StateMark run={run} />
          <span className={styles.menu}>
            <RunMenu run={run} onOnly={() => actions.only(run)} />
          </span>
        </span>
      </div>
      {columns.map((field) => {
        const text = formatField(run, field, now)
        return (
          <span
            key={field}
            className={styles.cell}
            style={{ width: columnWidth }}
            data-number={isNumberField(run, field) || undefined}
            data-differs={(visible && isUnusual(run, field, differences)) || undefined}
            title={`${fieldLabel(field)}: ${text}`}
          >
            {text}
          </span>
        )
      })}
    </div>
  )
})
