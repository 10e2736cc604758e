import { expect, test } from 'vitest'
import {
  cellText,
  delimitedTable,
  mediaCell,
  NotATable,
  readTable,
  sortedRows,
} from '~/features/artifacts/files/table-data'

test('a table is read, whatever stands in it', () => {
  expect(readTable('{"columns":["a","b"],"data":[[1,"x"],[null,{"c":2}]]}')).toEqual({
    columns: ['a', 'b'],
    rows: [
      [1, 'x'],
      [null, { c: 2 }],
    ],
    cut: false,
  })
  expect(readTable('{"columns":["a",{"b":1}],"data":[[1,2,3],"four"]}')).toEqual({
    columns: ['a', '{"b":1}', 'column 3'],
    rows: [[1, 2, 3], ['four']],
    cut: false,
  })
  for (const text of ['', '{"columns": [', '[1]', 'null', '{"columns":1,"data":[]}']) {
    expect(() => readTable(text), text).toThrow(NotATable)
  }
})

test('rows of a delimited file get the names of the first, and a cut row is left out', () => {
  const rows = [['id', 'name'], ['1', 'a'], ['2.5e3', 'b', 'c'], ['']]
  expect(delimitedTable(rows, false)).toEqual({
    columns: ['id', 'name', 'column 3'],
    rows: [
      [1, 'a'],
      [2500, 'b', 'c'],
    ],
    cut: false,
  })
  expect(delimitedTable([['id'], ['1'], ['2']], true)).toEqual({ columns: ['id'], rows: [[1]], cut: true })
  expect(delimitedTable([], false)).toEqual({ columns: [], rows: [], cut: false })
  expect(delimitedTable([['id'], ['0x10'], ['1234567890123456789'], ['-']], false).rows).toEqual([
    ['0x10'],
    ['1234567890123456789'],
    ['-'],
  ])
})

test('only known media in a cell are media', () => {
  expect(mediaCell({ _type: 'image-file', path: 'a.png', caption: 'c' })).toEqual({
    kind: 'image',
    path: 'a.png',
    caption: 'c',
  })
  expect(mediaCell({ _type: 'audio-file', path: 'a.wav', caption: 5 })?.caption).toBeNull()
  for (const value of [null, 'a.png', [1], { _type: 'toString', path: 'a' }, { _type: 'image-file', path: 3 }]) {
    expect(mediaCell(value)).toBeNull()
  }
})

test('rows sort by size and then by name, with nothing at the end both ways', () => {
  const rows = [[10], ['b'], [null], [9], ['a2'], ['a10']]
  const sorted = (descending: boolean) => sortedRows(rows, 0, descending).map((index) => cellText(rows[index][0]))
  expect(sorted(false)).toEqual(['9', '10', 'a2', 'a10', 'b', ''])
  expect(sorted(true)).toEqual(['10', '9', 'b', 'a10', 'a2', ''])
})
