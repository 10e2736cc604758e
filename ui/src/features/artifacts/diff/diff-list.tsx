import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowRight, Minus, MoveRight, PenLine, Plus } from 'lucide-react'
import { useState } from 'react'
import type { DiffEntry } from '~/api/types'
import { growthOf } from '~/features/artifacts/diff/diff-entries'
import { formatBytes } from '~/lib/format-number'
import styles from './diff-list.module.css'

const ROW_HEIGHT = 34
/** The next page is asked for so many lines before the end of the last one. */
const AHEAD = 40

interface DiffListProps {
  entries: readonly DiffEntry[]
  /** Where files with a new path were before. */
  moves: ReadonlyMap<string, string>
  chosen: string | null
  /** What stands after the last one. */
  end: string | null
  onChoose: (path: string) => void
  onEnd: () => void
}

/** Paths that are not the same; only the lines in sight exist. */
export function DiffList({ entries, moves, chosen, end, onChoose, onEnd }: DiffListProps) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const virtualizer = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 16,
    onChange: (instance) => {
      const last = instance.getVirtualItems().at(-1)
      if (last !== undefined && last.index >= entries.length - AHEAD) onEnd()
    },
  })
  return (
    <div className={styles.scroller} ref={setScroller}>
      <ul className={styles.list} aria-label="Changes" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const entry = entries[item.index]
          return (
            <li key={entry.path} className={styles.row} style={{ transform: `translateY(${item.start}px)` }}>
              <Row
                entry={entry}
                movedFrom={moves.get(entry.path) ?? null}
                chosen={entry.path === chosen}
                onChoose={onChoose}
              />
            </li>
          )
        })}
      </ul>
      {entries.length === 0 && end === null && <p className={styles.end}>No changed path has this in it.</p>}
      {end !== null && <p className={styles.end}>{end}</p>}
    </div>
  )
}

const ICONS = { added: Plus, removed: Minus, changed: PenLine }

interface RowProps {
  entry: DiffEntry
  movedFrom: string | null
  chosen: boolean
  onChoose: (path: string) => void
}

function Row({ entry, movedFrom, chosen, onChoose }: RowProps) {
  const { path, change } = entry
  const Icon = movedFrom === null ? ICONS[change] : MoveRight
  const slash = path.lastIndexOf('/') + 1
  return (
    <button
      type="button"
      className={styles.line}
      aria-pressed={chosen}
      aria-label={`${movedFrom === null ? change : `moved from ${movedFrom}`}: ${path}`}
      title={movedFrom === null ? path : `${path}, which was ${movedFrom}`}
      onClick={() => onChoose(path)}
    >
      <span className={styles.icon} data-change={change}>
        <Icon size={13} />
      </span>
      <span className={styles.path}>
        <span className={styles.folder}>{path.slice(0, slash)}</span>
        <span className={styles.name}>{path.slice(slash)}</span>
      </span>
      {movedFrom === null ? <Sizes entry={entry} /> : <span className={styles.sizes}>was {movedFrom}</span>}
    </button>
  )
}

function Sizes({ entry }: { entry: DiffEntry }) {
  const { before, after, change } = entry
  const growth = growthOf(entry)
  const text = (bytes: number | null | undefined) => (bytes === null || bytes === undefined ? '–' : formatBytes(bytes))
  const [old, now] = [text(before?.size_bytes), text(after?.size_bytes)]
  return (
    <span className={styles.sizes}>
      {change !== 'changed' ? (
        text((after ?? before)?.size_bytes)
      ) : old !== now ? (
        <>
          {old} <ArrowRight size={11} aria-label="to" /> {now}
        </>
      ) : (
        `${now}${growth === null || growth === 0 ? '' : ` ${growth > 0 ? '+' : '\u2212'}${formatBytes(Math.abs(growth))}`}`
      )}
    </span>
  )
}
