import { expect, test } from 'vitest'
import { shownText, valueRows } from '~/features/run/value-rows'

const values = { lr: 0.1, model: { name: 'gpt', empty: {}, deep: { width: 'NaN' } }, list: [1, 2] }
const paths = (search: string, closed: string[] = []) =>
  valueRows(values, search, new Set(closed)).map(({ path }) => path)

test('a nested object is lines in the order of names', () => {
  expect(paths('')).toEqual(['list', 'lr', 'model', 'model.deep', 'model.deep.width', 'model.empty', 'model.name'])
})

test('a histogram is one line, and what only looks like one is not', () => {
  const weights = { _type: 'histogram', values: [1, 2], bins: [0, 1, 2] }
  const broken = { _type: 'histogram', values: [1, 2], bins: [0, 1] }
  const rows = valueRows({ weights, broken }, '', new Set())
  expect(rows.map(({ path }) => path)).toEqual(['broken', 'broken._type', 'broken.bins', 'broken.values', 'weights'])
  expect(rows[4]).toMatchObject({ branch: false, value: weights })
})

test('closed branches hide what is in them', () => {
  expect(paths('', ['model'])).toEqual(['list', 'lr', 'model'])
})

test('a search finds names and values, with the branches they are in', () => {
  expect(paths('width', ['model'])).toEqual(['model', 'model.deep', 'model.deep.width'])
  expect(paths('gpt')).toEqual(['model', 'model.name'])
  expect(paths('nothing')).toEqual([])
})

test('a fraction is shown with the digits worth reading', () => {
  expect([0.9888888888888889, 0.05, 12, 'text', [1], null, 1e-9].map((value) => shownText(value))).toEqual([
    '0.9888889',
    '0.05',
    '12',
    'text',
    '[1]',
    'null',
    '1e-9',
  ])
})

test('the aggregates of a metric are one line, and what only looks like them is not', () => {
  const definition = { step_metric: null, step_sync: false, hidden: false }
  const metrics = [{ ...definition, name: 'val/*', summary: ['min', 'last'] }]
  const summary = { 'val/loss': { min: 1, last: 2 }, other: { min: 1, last: 2 }, 'val/odd': { min: 1, note: 'x' } }
  const rows = valueRows(summary, '', new Set(), metrics)
  expect(rows.map(({ path, branch, aggregates }) => [path, branch, aggregates])).toEqual([
    ['other', true, null],
    ['other.last', false, null],
    ['other.min', false, null],
    ['val/loss', false, { min: 1, last: 2 }],
    ['val/odd', true, null],
    ['val/odd.min', false, null],
    ['val/odd.note', false, null],
  ])
  expect(valueRows(summary, 'val/l', new Set(), metrics).map(({ path }) => path)).toEqual(['val/loss'])
})
