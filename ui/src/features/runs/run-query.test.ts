import { expect, test } from 'vitest'
import { andFilter, idsFilter, parseRunQuery, quoteField, quoteValue } from '~/features/runs/run-query'

test('an expression is a filter', () => {
  for (const text of [
    'config.lr >= 0.001',
    'state = "running" and not tags = "old"',
    'not state = "failed"',
    '(config.a.b = 1 or summary.train/loss<2)',
    'name ~ otter',
    'state in ("running", "failed")',
    '`config.my key` != null',
    'not (id = "x")',
  ]) {
    expect(parseRunQuery(` ${text} `)).toEqual({ filter: text, search: null })
  }
})

test('anything else is text', () => {
  for (const text of ['otter', 'config.lr', 'name', 'a = b', 'notebook', 'loss > 3', 'state of the art', 'in (a)']) {
    expect(parseRunQuery(text)).toEqual({ filter: null, search: text })
  }
  expect(parseRunQuery('   ')).toEqual({ filter: null, search: null })
})

test('fields and values are quoted as expressions need them', () => {
  expect([quoteField('config.lr'), quoteField('config.my key')]).toEqual(['config.lr', '`config.my key`'])
  expect([quoteValue('a"b\\c'), quoteValue(3), quoteValue(null), quoteValue(true)]).toEqual([
    '"a\\"b\\\\c"',
    '3',
    'null',
    'true',
  ])
  expect(andFilter('a = 1 or b = 2', 'c = 3')).toBe('(a = 1 or b = 2) and c = 3')
  expect(idsFilter(['x', 'y'])).toBe('id in ("x", "y")')
})
