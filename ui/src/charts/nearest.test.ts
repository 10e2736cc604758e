import { expect, test } from 'vitest'
import { nearestIndex, nearestRow, rowsAt, windowRows } from '~/charts/nearest'
import { lineOf } from '~/charts/test-series'

test('the nearest of rising values is found, the lower of two as near', () => {
  const values = Float64Array.of(0, 10, 20)
  expect([-5, 0, 4, 5, 6, 14, 16, 99].map((x) => nearestIndex(values, x))).toEqual([0, 0, 0, 0, 1, 1, 2, 2])
  expect(nearestIndex(new Float64Array(0), 1)).toBe(-1)
})

test('rows come highest first, without a finite value last, and without runs that are elsewhere', () => {
  const lines = [
    lineOf('low', [0, 10], [1, 1]),
    lineOf('high', [0, 10], [5, 5]),
    lineOf('broken', [0, 10], [2, Number.NaN]),
    lineOf('over', [0, 3], [9, 9]),
  ]
  const rows = rowsAt(lines, 9, 2)
  expect(rows.map(({ run, x, value, nan }) => [run, x, value, nan])).toEqual([
    ['high', 10, 5, 0],
    ['low', 10, 1, 0],
    ['broken', 10, Number.NaN, 1],
  ])
})

test('the row nearest to the pointer is told, and a window around it', () => {
  const rows = rowsAt(
    Array.from({ length: 20 }, (_, index) => lineOf(`run ${index}`, [0], [index])),
    0,
    1,
  )
  const nearest = nearestRow(rows, (value) => Math.abs(value - 7.2))
  expect(nearest?.run).toBe('run 7')
  const { rows: shown, hidden } = windowRows(rows, nearest, 5)
  expect(shown.map(({ value }) => value)).toEqual([9, 8, 7, 6, 5])
  expect(hidden).toBe(15)
  expect(windowRows(rows, rows[0], 3).rows.map(({ value }) => value)).toEqual([19, 18, 17])
})
