import { expect, test } from 'vitest'
import { lineMatcher } from '~/features/logs/line-matcher'

const find = (search: string, text: string, regex = false, caseSensitive = false) =>
  lineMatcher({ search, regex, caseSensitive })?.(text)

test('text is found as it is written, in any case unless that matters', () => {
  expect(find('loss', 'Loss=1 loss=2')).toEqual([
    [0, 4],
    [7, 11],
  ])
  expect(find('loss', 'Loss=1 loss=2', false, true)).toEqual([[7, 11]])
  expect(find('a.b[0]-', 'axb[0]- a.b[0]-')).toEqual([[8, 15]])
})

test('expressions are found as such, and nothing is marked for those that are none here', () => {
  expect(find('l\\w+=\\d', 'Loss=1 lr=2', true)).toEqual([
    [0, 6],
    [7, 11],
  ])
  expect(find('(', '(', true)).toBeUndefined()
  expect(find('x*', 'aaa', true)).toEqual([])
  expect(find('', 'aaa')).toBeUndefined()
})

test('a line that is nothing but finds has few marks', () => {
  expect(find('a', 'a'.repeat(10_000))).toHaveLength(200)
})
