import { useQuery } from '@tanstack/react-query'
import { ArrowDown, Terminal } from 'lucide-react'
import { useCallback, useMemo, useRef } from 'react'
import type { ConsoleLine, Run } from '~/api/types'
import { ChosenLines } from '~/features/logs/chosen-lines'
import { selectionOf, tailQuery } from '~/features/logs/console-queries'
import { LogList, ROW_HEIGHT } from '~/features/logs/log-list'
import { LogToolbar } from '~/features/logs/log-toolbar'
import type { LogsView } from '~/features/logs/logs-view'
import { useFinds } from '~/features/logs/use-finds'
import { useHotkey } from '~/hooks/use-hotkey'
import { plural } from '~/lib/format-number'
import { ListScroller } from '~/lib/list-scroller'
import { useStoreSelector } from '~/lib/store'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './logs-tab.module.css'

interface LogsTabProps {
  run: Run
  view: LogsView
  change: (part: Partial<LogsView>) => void
}

/** What the processes of a run printed. */
export function LogsTab({ run, view, change }: LogsTabProps) {
  const selection = selectionOf(view, view.onlyFound)
  const onlyFound = selection.search !== null
  // Other lines are another list, which begins at its end, or at the line that the address names.
  const listName = JSON.stringify([run.id, selection])
  const latest = useRef(view)
  latest.current = view
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list keeps its place, whatever the address says later
  const scroller = useMemo(
    () => new ListScroller(ROW_HEIGHT, onlyFound ? null : (latest.current.lines?.[0] ?? null)),
    [listName],
  )
  const { data: tail, error, refetch } = useQuery(tailQuery(run, selection))
  const finds = useFinds(run, view)
  const following = useStoreSelector(scroller.window, (window) => window.following)
  const count = onlyFound ? tail?.total : tail?.line_count

  const follow = useCallback((on: boolean) => (on ? scroller.follow() : scroller.pause()), [scroller])
  useHotkey(
    'g',
    useCallback(() => scroller.showStart(), [scroller]),
  )
  useHotkey(
    'G',
    useCallback(() => scroller.follow(), [scroller]),
  )
  useHotkey(
    'f',
    useCallback(() => follow(!scroller.window.get().following), [scroller, follow]),
  )
  const find = async (of: LogsView, direction: 1 | -1) => {
    const from = of.lines?.[0] ?? (onlyFound ? 0 : scroller.window.get().visible)
    try {
      const found = await finds.go(of, from, direction)
      if (found === null) return
      change({ search: of.search, lines: [found.line, found.line] })
      scroller.reveal(onlyFound ? found.rank : found.line)
    } catch {
      // The count of what was found says what is wrong.
    }
  }
  const choose = useCallback(
    ({ index }: ConsoleLine, further: boolean) => {
      const { lines } = latest.current
      if (onlyFound) change({ lines: [index, index], onlyFound: false })
      else if (further && lines !== null) change({ lines: [Math.min(lines[0], index), Math.max(lines[0], index)] })
      else change({ lines: lines?.[0] === index && lines[1] === index ? null : [index, index] })
    },
    [change, onlyFound],
  )

  return (
    <div className={styles.page}>
      <LogToolbar
        run={run}
        view={view}
        change={change}
        processes={tail?.processes ?? []}
        finds={finds}
        onFind={(of, direction) => void find(of, direction)}
        following={following}
        onFollow={follow}
      />
      <div className={styles.body}>
        {tail === undefined || count === undefined ? (
          error !== null ? (
            <ErrorMessage title="Could not read the console" error={error} onRetry={() => void refetch()} />
          ) : (
            <Loading />
          )
        ) : count === 0 ? (
          <Nothing run={run} view={view} lines={tail.line_count} onlyFound={onlyFound} />
        ) : (
          <>
            <LogList
              key={listName}
              run={run}
              selection={selection}
              view={view}
              tail={tail}
              count={count}
              scroller={scroller}
              onChoose={choose}
            />
            <NewLines scroller={scroller} />
            {view.lines !== null && !onlyFound && (
              <ChosenLines run={run} selection={selection} lines={view.lines} onClose={() => change({ lines: null })} />
            )}
          </>
        )}
      </div>
    </div>
  )
}

/** What came since somebody scrolled up. */
function NewLines({ scroller }: { scroller: ListScroller }) {
  const added = useStoreSelector(scroller.window, (window) => window.added)
  if (added === 0) return null
  return (
    <button type="button" className={styles.added} onClick={() => scroller.follow()}>
      {plural(added, 'new line')} <ArrowDown size={13} />
    </button>
  )
}

interface NothingProps {
  run: Run
  view: LogsView
  /** How many there are, whatever is searched for. */
  lines: number
  onlyFound: boolean
}

function Nothing({ run, view, lines, onlyFound }: NothingProps) {
  if (onlyFound && lines > 0)
    return (
      <Message title="No line found">
        None of {plural(lines, 'line')} has “{view.search}”.
      </Message>
    )
  if (view.stream !== null || view.output !== null) {
    return <Message title="Nothing printed here">{run.name} printed nothing of this kind.</Message>
  }
  return (
    <Message
      title={run.state === 'running' ? 'Nothing printed yet' : 'Nothing was printed'}
      icon={<Terminal size={20} />}
    >
      What a script prints on stdout and stderr shows up here, unless it was told not to with <code>console="off"</code>
      .
    </Message>
  )
}

function Loading() {
  return (
    <div className={styles.loading}>
      {[62, 48, 71, 55, 33, 66].map((width) => (
        <Skeleton key={width} height={12} width={`${width}%`} />
      ))}
    </div>
  )
}
