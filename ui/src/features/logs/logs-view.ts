import type { ConsoleOutput } from '~/api/types'
import type { SearchParams } from '~/lib/search-params'

/** What stands before a line: nothing, the time since the run began, or that of the clock. */
export type LineTime = 'none' | 'relative' | 'clock'

/** The first and the last of some lines, counted from 0; the same for one. */
export type LineRange = readonly [first: number, last: number]

/** How the lines of a run are shown: all of it stands in the page's address. */
export interface LogsView {
  /** The process whose lines are shown; `null` for all. */
  stream: string | null
  output: ConsoleOutput | null
  search: string
  regex: boolean
  caseSensitive: boolean
  /** Whether lines that the search does not find are left out. */
  onlyFound: boolean
  time: LineTime
  wrap: boolean
  /** Lines somebody points at, by their place among those of the process and output. */
  lines: LineRange | null
}

export const DEFAULT_LOGS_VIEW: LogsView = {
  stream: null,
  output: null,
  search: '',
  regex: false,
  caseSensitive: false,
  onlyFound: false,
  time: 'clock',
  wrap: false,
  lines: null,
}

/** Only what differs from the default is said. People count lines from 1. */
export function encodeLogsView(view: LogsView): SearchParams {
  const search: SearchParams = {}
  if (view.stream !== null) search.stream = view.stream
  if (view.output !== null) search.output = view.output
  if (view.search !== '') search.find = view.search
  if (view.regex) search.regex = '1'
  if (view.caseSensitive) search.case = '1'
  if (view.onlyFound) search.only = '1'
  if (view.time !== 'clock') search.time = view.time
  if (view.wrap) search.wrap = '1'
  if (view.lines !== null) {
    const [first, last] = view.lines
    search.line = first === last ? String(first + 1) : `${first + 1}-${last + 1}`
  }
  return search
}

export function decodeLogsView(search: SearchParams): LogsView {
  return {
    stream: search.stream ?? null,
    output: search.output === 'stdout' || search.output === 'stderr' ? search.output : null,
    search: search.find ?? '',
    regex: search.regex === '1',
    caseSensitive: search.case === '1',
    onlyFound: search.only === '1',
    time: search.time === 'none' || search.time === 'relative' ? search.time : 'clock',
    wrap: search.wrap === '1',
    lines: decodeLines(search.line),
  }
}

function decodeLines(text: string | undefined): LineRange | null {
  const match = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(text ?? '')
  if (match === null) return null
  const [first, last] = [Number(match[1]) - 1, Number(match[2] ?? match[1]) - 1].sort((a, b) => a - b)
  return first < 0 ? null : [first, last]
}

/** Other lines are counted in another way: what was pointed at among those of before means nothing. */
export function changeSelection(part: Partial<Pick<LogsView, 'stream' | 'output'>>): Partial<LogsView> {
  return { ...part, lines: null }
}
