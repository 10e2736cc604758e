import type { ConsoleLine, ConsoleLineList } from '~/api/types'

/** Lines that are read at once. */
export const PAGE_LINES = 256
/** A process may rewrite so many of its last lines, as progress bars do; what is before them stays. */
const REWRITTEN_LINES = 256

/** The pages with rows from `first` up to and without `last`. */
export function pagesOf(first: number, last: number): number[] {
  const pages: number[] = []
  if (first >= last) return pages
  for (let page = Math.floor(first / PAGE_LINES); page * PAGE_LINES < last; page += 1) pages.push(page)
  return pages
}

/**
 * The pages to read for what is on the page. The last lines, from `tail` on, are there anyway; but while the end is not
 * followed, what is seen must stay when they move on.
 */
export function pagesToRead(shown: { first: number; last: number; following: boolean }, tail: number): number[] {
  return pagesOf(shown.first, shown.following ? Math.min(shown.last, tail) : shown.last)
}

/** Rows that were read, wherever they are. */
export type LoadedRows = readonly { from: number; lines: readonly ConsoleLine[] }[]

/** The line of a row; `undefined` while it is on its way. What stands later in `loaded` is newer. */
export function rowOf(loaded: LoadedRows, row: number): ConsoleLine | undefined {
  const part = loaded.findLast(({ from, lines }) => row >= from && row < from + lines.length)
  return part?.lines[row - part.from]
}

/**
 * Whether a page can never be another one: it is full, none of its lines can be rewritten, and no other process can have
 * printed between them. Lines that several processes printed stand by their time, and some may arrive late.
 */
export function isSettled({ lines, processes }: ConsoleLineList): boolean {
  if (lines.length < PAGE_LINES) return false
  if (processes.filter(({ line_count }) => line_count > 0).length > 1) return false
  return lines.every(({ number, process }) => number < (processes[process]?.line_count ?? 0) - REWRITTEN_LINES)
}

/** Characters of the lines of an answer: what it takes of memory, about. */
export function sizeOf({ lines }: ConsoleLineList): number {
  return lines.reduce((sum, { text }) => sum + text.length, 0)
}
