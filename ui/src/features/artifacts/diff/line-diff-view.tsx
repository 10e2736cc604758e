import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useState } from 'react'
import type { ComparedLine } from '~/features/artifacts/diff/line-diff'
import styles from './line-diff-view.module.css'

const ROW_HEIGHT = 20
/** So much of a line is on the page. */
const MAX_LENGTH = 2_000

/** Lines of two texts, with their numbers in both. */
export function LineDiff({ lines }: { lines: readonly ComparedLine[] }) {
  const [scroller, setScroller] = useState<HTMLElement | null>(null)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 30,
  })
  const columns = useMemo(
    () => lines.reduce((most, { text }) => Math.max(most, Math.min(text.length, MAX_LENGTH)), 0),
    [lines],
  )
  return (
    <section
      className={styles.scroller}
      ref={setScroller}
      aria-label="Lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
      tabIndex={0}
    >
      <div className={styles.lines} style={{ height: virtualizer.getTotalSize(), width: `${columns + 16}ch` }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => (
          <Line key={index} line={lines[index]} top={start} />
        ))}
      </div>
    </section>
  )
}

const SIGNS = { added: '+', removed: '\u2212', same: ' ', gap: '' }

function Line({ line: { kind, text, before, after, part }, top }: { line: ComparedLine; top: number }) {
  const shown = text.slice(0, MAX_LENGTH)
  return (
    <div className={styles.line} data-kind={kind} style={{ transform: `translateY(${top}px)` }}>
      <span className={styles.number}>{kind === 'gap' ? '⋯' : before}</span>
      <span className={styles.number}>{kind === 'gap' ? '⋯' : after}</span>
      <span className={styles.sign}>{SIGNS[kind]}</span>
      <span className={styles.text}>
        {part === null ? (
          shown
        ) : (
          <>
            {shown.slice(0, part[0])}
            <mark>{shown.slice(part[0], part[1])}</mark>
            {shown.slice(part[1])}
          </>
        )}
      </span>
    </div>
  )
}
