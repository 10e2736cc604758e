import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useState } from 'react'
import { diffLines } from '~/features/files/diff-lines'
import styles from './diff-view.module.css'

const ROW_HEIGHT = 19

/** A unified diff, what was added and what was removed in its colour. */
export function DiffView({ text }: { text: string }) {
  const lines = useMemo(() => diffLines(text), [text])
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 30,
  })
  const columns = useMemo(() => lines.reduce((most, line) => Math.max(most, line.text.length), 0), [lines])
  return (
    <div className={styles.scroller} ref={setScroller}>
      <div className={styles.lines} style={{ height: virtualizer.getTotalSize(), width: `${columns + 4}ch` }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => (
          <div
            key={index}
            className={styles.line}
            data-kind={lines[index].kind}
            style={{ transform: `translateY(${start}px)` }}
          >
            {lines[index].text}
          </div>
        ))}
      </div>
    </div>
  )
}
