import { useQueries } from '@tanstack/react-query'
import { type CSSProperties, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { ConsoleLine, ConsoleLineList, Run } from '~/api/types'
import { paletteColor } from '~/charts/palette'
import { type LoadedRows, pagesToRead, rowOf } from '~/features/logs/console-pages'
import { type LineSelection, pageQuery } from '~/features/logs/console-queries'
import { lineMatcher } from '~/features/logs/line-matcher'
import { SHOWN_CHARACTERS } from '~/features/logs/line-pieces'
import { LogLine } from '~/features/logs/log-line'
import type { LogsView } from '~/features/logs/logs-view'
import { processNames } from '~/features/logs/process-names'
import { plainText } from '~/features/logs/sgr'
import { useDark } from '~/hooks/use-theme'
import type { ListScroller, ListWindow } from '~/lib/list-scroller'
import { useStore } from '~/lib/store'
import { Button } from '~/ui/button'
import { errorText } from '~/ui/message'
import styles from './log-list.module.css'

export const ROW_HEIGHT = 20

interface LogListProps {
  run: Run
  selection: LineSelection
  view: LogsView
  /** The last lines, and how many there are. */
  tail: ConsoleLineList
  count: number
  scroller: ListScroller
  onChoose: (line: ConsoleLine, further: boolean) => void
}

/** The lines, of which only those in sight are on the page. */
export function LogList({ run, selection, view, tail, count, scroller, onChoose }: LogListProps) {
  const shown = useStore(scroller.window)
  const { loaded, error, retry } = useLoadedRows(run, selection, tail, shown)
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set())
  const list = useRef<HTMLUListElement>(null)
  const { search, regex, caseSensitive } = view
  const matcher = useMemo(() => lineMatcher({ search, regex, caseSensitive }), [search, regex, caseSensitive])
  const processes = useProcessLooks(tail, view.stream)
  const showWhole = useCallback((line: ConsoleLine) => setWhole((before) => new Set(before).add(lineName(line))), [])

  useLayoutEffect(() => scroller.setCount(count), [scroller, count])
  const { wrap } = view
  const styled = useRef(wrap)
  useLayoutEffect(() => {
    if (styled.current !== wrap) scroller.restyled()
    styled.current = wrap
  }, [scroller, wrap])
  // How high wrapped lines are is known only once they are there; nothing is painted before they are in place.
  useLayoutEffect(() => {
    if (list.current !== null && (wrap || whole.size > 0)) scroller.measure(heightsOf(list.current))
  })

  const rows: number[] = []
  for (let row = shown.first; row < Math.min(shown.last, count); row += 1) rows.push(row)
  const lines = rows.map((row) => rowOf(loaded, row))
  // Wide lines that go out of sight leave their room, so that one can scroll on sideways.
  const widest = useRef(0)
  widest.current = Math.max(widest.current, columnsOf(lines))
  const [firstChosen, lastChosen] = view.lines ?? [-1, -1]
  const look: CSSProperties & Record<`--${string}`, string | number> = {
    transform: `translateY(${shown.top}px)`,
    '--number-digits': Math.max(4, String(tail.line_count).length),
    '--name-characters': Math.min(18, Math.max(0, ...(processes ?? []).map(({ name }) => name.length))),
    '--columns': wrap ? 0 : widest.current,
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls takes the keys that scroll */}
      <div className={styles.scroller} ref={scroller.attach} tabIndex={0} data-wrap={wrap || undefined}>
        <div className={styles.whole}>
          <ul ref={list} className={styles.lines} style={look} aria-label="Console">
            {rows.map((row, index) => {
              const line = lines[index]
              if (line === undefined) return <li key={row} data-row={row} className={styles.missing} aria-hidden />
              return (
                <LogLine
                  key={row}
                  row={row}
                  line={line}
                  process={processes?.[line.process] ?? null}
                  time={view.time}
                  startedAt={run.created_at}
                  matcher={matcher}
                  chosen={line.index >= firstChosen && line.index <= lastChosen}
                  whole={whole.has(lineName(line))}
                  onChoose={onChoose}
                  onWhole={showWhole}
                />
              )
            })}
          </ul>
        </div>
      </div>
      {error !== null && (
        <div className={styles.error} role="alert">
          Some lines could not be read: {errorText(error)}
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
    </>
  )
}

/** The rows in sight, as far as they were read: the end comes with every look at it, the rest in pages. */
function useLoadedRows(run: Run, selection: LineSelection, tail: ConsoleLineList, shown: ListWindow) {
  return useQueries({
    queries: pagesToRead(shown, tail.from).map((page) => pageQuery(run, selection, page)),
    combine: (answers) => ({
      loaded: [...answers.flatMap(({ data }) => (data === undefined ? [] : [data])), tail] as LoadedRows,
      error: answers.find(({ error, data }) => error !== null && data === undefined)?.error ?? null,
      retry: () => {
        for (const answer of answers) if (answer.error !== null) void answer.refetch()
      },
    }),
  })
}

/** Names and colours of the processes; `null` where the lines shown are of one. */
function useProcessLooks({ processes }: ConsoleLineList, stream: string | null) {
  const dark = useDark()
  // The same objects as long as they say the same, so that lines are not drawn again.
  const names = JSON.stringify(processNames(processes))
  const looks = useMemo(
    () => (JSON.parse(names) as string[]).map((name, index) => ({ name, color: paletteColor(index, dark) })),
    [names, dark],
  )
  if (stream !== null || processes.length < 2) return null
  return looks
}

function lineName({ process, number }: ConsoleLine): string {
  return `${process} ${number}`
}

function heightsOf(list: HTMLElement): [row: number, height: number][] {
  return Array.from(list.children, (child) => [
    Number((child as HTMLElement).dataset.row),
    child.getBoundingClientRect().height,
  ])
}

/** Columns that the widest of some lines takes, about. */
function columnsOf(lines: readonly (ConsoleLine | undefined)[]): number {
  const widths = lines.map((line) => (line === undefined ? 0 : plainText(line.text).length))
  return Math.min(SHOWN_CHARACTERS, Math.max(0, ...widths))
}
