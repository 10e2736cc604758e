import { expect, test } from 'vitest'
import { type ComparedLine, countLines, inCommon, lineDiff } from '~/features/artifacts/diff/line-diff'

const text = (...lines: string[]) => `${lines.join('\n')}\n`
const shown = (lines: ComparedLine[] | null) =>
  lines?.map(({ kind, before, after, text: line, part }) =>
    [
      kind,
      before,
      after,
      part === null ? line : `${line.slice(0, part[0])}[${line.slice(...part)}]${line.slice(part[1])}`,
    ].join(' '),
  )

test('what came and went stands with its numbers and the lines around it', () => {
  const before = text('a', 'b', 'c', 'd', 'e', 'lr = 0.1', 'f')
  const after = text('a', 'b', 'c', 'd', 'e', 'lr = 0.03', 'f', 'g')
  const lines = lineDiff(before, after)
  expect(shown(lines)).toEqual([
    'gap 3 3 ',
    'same 3 3 c',
    'same 4 4 d',
    'same 5 5 e',
    'removed 6  lr = 0.[1]',
    'added  6 lr = 0.[03]',
    'same 7 7 f',
    'added  8 g',
  ])
  expect(countLines(lines ?? [])).toEqual({ added: 2, removed: 1 })
})

test('texts that are the same have no lines, and an empty one is all added', () => {
  expect(lineDiff('a\n', 'a\n')).toEqual([])
  expect(shown(lineDiff('', text('a', 'b')))).toEqual(['added  1 a', 'added  2 b'])
})

test('the lack of a line break at the end is no line', () => {
  expect(shown(lineDiff('a', 'b'))).toEqual(['removed 1  a', 'added  1 b'])
})

test('what two texts have in common is not counted twice', () => {
  expect(inCommon('aa', 'aaa')).toEqual([2, 0])
  expect(inCommon('abc', 'axc')).toEqual([1, 1])
  expect(inCommon('', 'x')).toEqual([0, 0])
})
