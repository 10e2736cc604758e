import { expect, test } from 'vitest'
import { tableDiff } from '~/features/artifacts/diff/table-diff'

test('columns by name, rows by what stands in the columns that both have', () => {
  const before = { columns: ['id', 'label', 'old'], rows: [[1, 'a', 0], [2, 'b', 0], [2, 'b', 0]], cut: false } // biome-ignore format: a table is easier to read
  const after = { columns: ['label', 'id', 'new'], rows: [['a', 1, 9], ['b', 2, 9], ['c', 3, 9]], cut: false } // biome-ignore format: as above
  expect(tableDiff(before, after)).toEqual({
    rowCounts: [3, 3],
    sharedColumns: ['id', 'label'],
    addedColumns: ['new'],
    removedColumns: ['old'],
    addedRows: 1,
    removedRows: 1,
    sameRows: 2,
  })
})
