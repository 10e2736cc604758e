import { expect, test } from 'vitest'
import type { MetricKey } from '~/api/types'
import { chartTitle, gridRows, groupIntoSections, keyMatcher } from '~/features/metrics/sections'

const metric = (key: string): MetricKey => ({ key, kind: 'number', run_count: 1, point_count: 1 })
const shape = (keys: string[]) =>
  groupIntoSections(keys.map(metric)).map(({ name, keys: list }) => [name, list.map(({ key }) => key)])

test('keys stand in the section of their prefix, plain ones first, the machine last', () => {
  expect(shape(['system/cpu', 'val/loss', 'lr', 'train/l10', 'train/l2', '/odd', 'train/a/b'])).toEqual([
    ['Charts', ['/odd', 'lr']],
    ['train', ['train/a/b', 'train/l2', 'train/l10']],
    ['val', ['val/loss']],
    ['system', ['system/cpu']],
  ])
  expect([chartTitle('train/a/b'), chartTitle('lr')]).toEqual(['a/b', 'lr'])
})

test('the grid has a heading for each section and its charts by rows', () => {
  const sections = groupIntoSections(['a/1', 'a/2', 'a/3', 'b/1'].map(metric))
  const lines = gridRows(sections, ['b'], 2).map((row) =>
    row.kind === 'heading' ? `${row.section.name} ${row.open}` : row.keys.map(({ key }) => key).join(' '),
  )
  expect(lines).toEqual(['a true', 'a/1 a/2', 'a/3', 'b false'])
})

test('a search is words, or a regular expression', () => {
  const keys = ['train/loss', 'val/loss', 'train/accuracy']
  const find = (search: string) => keys.filter(keyMatcher(search) ?? (() => false))
  expect(find('')).toEqual(keys)
  expect(find('TRAIN acc')).toEqual(['train/accuracy'])
  expect(find('^(train|val)/loss$')).toEqual(['train/loss', 'val/loss'])
  expect(keyMatcher('(')).toBeNull()
})
