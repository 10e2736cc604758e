import { expect, test } from 'vitest'
import type { ConsoleLine, ConsoleLineList, ConsoleProcess } from '~/api/types'
import { isSettled, PAGE_LINES, pagesOf, pagesToRead, rowOf } from '~/features/logs/console-pages'
import { isOutdated } from '~/features/logs/console-queries'

const line = (index: number, process = 0): ConsoleLine => ({
  index,
  number: index,
  process,
  output: 'stdout',
  time: index,
  text: `line ${index}`,
})
const lines = (from: number, count: number) => Array.from({ length: count }, (_, row) => line(from + row))
const process = (line_count: number): ConsoleProcess => ({
  stream: 'aa',
  label: null,
  host: null,
  process_id: 1,
  is_fork: false,
  line_count,
})
const answer = (from: number, count: number, ...counts: number[]): ConsoleLineList => ({
  lines: lines(from, count),
  from,
  total: 0,
  line_count: 0,
  processes: counts.map(process),
})

test('rows in sight are on one page or on more', () => {
  expect([pagesOf(0, 40), pagesOf(255, 256), pagesOf(250, 257), pagesOf(999_990, 1_000_020), pagesOf(7, 7)]).toEqual([
    [0],
    [0],
    [0, 1],
    [3906],
    [],
  ])
})

test('the end needs no page while it is followed', () => {
  const shown = (first: number, following: boolean) => ({ first, last: first + 60, following })
  expect([
    pagesToRead(shown(940, true), 744),
    pagesToRead(shown(720, true), 744),
    pagesToRead(shown(940, false), 744),
  ]).toEqual([[], [2], [3]])
})

test('a row is found in whatever holds it, the newest first', () => {
  const old = { from: 256, lines: lines(256, 256) }
  const tail = { from: 500, lines: lines(500, 40).map((each) => ({ ...each, text: 'rewritten' })) }
  const texts = [255, 256, 499, 500, 539, 540].map((row) => rowOf([old, tail], row)?.text)
  expect(texts).toEqual([undefined, 'line 256', 'line 499', 'rewritten', 'rewritten', undefined])
  expect(rowOf([], 0)).toBeUndefined()
})

test('a page stays when it is full and nothing in it can be rewritten', () => {
  expect(isSettled(answer(0, PAGE_LINES, 512))).toBe(true)
  expect(isSettled(answer(0, PAGE_LINES, 511))).toBe(false)
  expect(isSettled(answer(0, PAGE_LINES - 1, 10_000))).toBe(false)
  expect(isSettled(answer(0, PAGE_LINES, 10_000, 1))).toBe(false)
  expect(isSettled(answer(0, PAGE_LINES, 10_000, 0))).toBe(true)
})

test('what was searched for, and the end, are read again when more was printed', () => {
  const key = (what: string, search: string | null) => ['console', 'a/b', 'run', what, { search }, 0]
  const settled = answer(0, PAGE_LINES, 10_000)
  expect(isOutdated(key('page', null), settled)).toBe(false)
  expect(isOutdated(key('page', null), answer(0, PAGE_LINES, 300))).toBe(true)
  expect(isOutdated(key('page', 'x'), settled)).toBe(true)
  expect(isOutdated(key('tail', null), settled)).toBe(true)
})
