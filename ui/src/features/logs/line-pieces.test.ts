import { expect, test } from 'vitest'
import { linePieces, type Span } from '~/features/logs/line-pieces'

const shown = (text: string, spans: Span[] = [], limit = 100) =>
  linePieces(text, spans, limit).map(
    ({ text: piece, style, found, sign }) =>
      `${sign ?? piece}${style.color === null ? '' : ` ${style.color}`}${found ? ' found' : ''}`,
  )

test('styles, finds and hidden characters cut a line', () => {
  expect(shown('abc')).toEqual(['abc'])
  expect(shown('')).toEqual([])
  expect(shown('ab\u001b[31mcdef\u001b[0mgh', [[1, 4]])).toEqual(['a', 'b found', 'cd 1 found', 'ef 1', 'gh'])
  expect(
    shown('one two one', [
      [0, 3],
      [8, 11],
    ]),
  ).toEqual(['one found', ' two ', 'one found'])
  expect(shown('a\u202eb', [[0, 2]])).toEqual(['a found', 'U+202E found', 'b'])
})

test('a long line is cut by what is seen of it', () => {
  expect(shown('\u001b[31mabcdef\u001b[32mghi', [], 7)).toEqual(['abcdef 1', 'g 2'])
  expect(shown('\u001b[31mabc\u001b[32mdef', [[0, 6]], 3)).toEqual(['abc 1 found'])
})
