import { expect, test } from 'vitest'
import { shownText, valueRows } from '~/features/run/value-rows'

const values = { lr: 0.1, model: { name: 'gpt', empty: {}, deep: { width: 'NaN' } }, list: [1, 2] }
const paths = (search: string, closed: string[] = []) =>
  valueRows(values, search, new Set(closed)).map(({ path }) => path)

test('a nested object is lines in the order of names', () => {
  expect(paths('')).toEqual(['list', 'lr', 'model', 'model.deep', 'model.deep.width', 'model.empty', 'model.name'])
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
  expect([0.9888888888888889, 0.05, 12, 'text', [1], null, 1e-9].map(shownText)).toEqual([
    '0.9888889',
    '0.05',
    '12',
    'text',
    '[1]',
    'null',
    '1e-9',
  ])
})
