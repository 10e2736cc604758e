import { expect, test } from 'vitest'
import { chartCsv, csvField } from '~/charts/export-chart'
import { lineOf } from '~/charts/test-series'

test('a chart as CSV has a row for each x in sight and a column for each run', () => {
  const lines = [lineOf('one', [0, 1, 2], [1, 2, 3]), lineOf('two, too', [1, 5], [0.5, 9])]
  expect(chartCsv(lines, 'step', [0, 2])).toBe('step,one,"two, too"\n0,1,\n1,2,0.5\n2,3,\n')
})

test('what a spreadsheet would run is defused', () => {
  expect(csvField('=1+1')).toBe("'=1+1")
})
