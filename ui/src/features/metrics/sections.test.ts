import { expect, test } from 'vitest'
import type { MetricKey } from '~/api/types'
import {
  chartTitle,
  columnsOfLine,
  gridRows,
  groupIntoSections,
  keyMatcher,
  sectionsOf,
} from '~/features/metrics/sections'
import { systemCharts } from '~/features/metrics/system-charts'

const metric = (key: string): MetricKey => ({
  key,
  kind: 'number',
  run_count: 1,
  point_count: 1,
  hidden: false,
  step_metric: null,
})
const shape = (keys: string[]) =>
  groupIntoSections(keys.map(metric)).map(({ name, keys: list }) => [name, list.map(({ key }) => key)])

test('keys stand in the section of their prefix, training before the others, the machine last', () => {
  expect(shape(['system/cpu', 'opt/lr', 'val/loss', 'loss', 'train/l10', 'train/l2', '/odd', 'train/a/b'])).toEqual([
    ['Charts', ['/odd', 'loss']],
    ['train', ['train/a/b', 'train/l2', 'train/l10']],
    ['val', ['val/loss']],
    ['opt', ['opt/lr']],
    ['system', ['system/cpu']],
  ])
  expect([chartTitle('train/a/b'), chartTitle('lr'), chartTitle('layer\\.0/w\\.1')]).toEqual(['a/b', 'lr', 'w.1'])
})

test('counters without a prefix stand behind what was measured', () => {
  expect(shape(['epoch', 'global_step', 'train/loss', 'opt/lr']).map(([name]) => name)).toEqual([
    'train',
    'opt',
    'Charts',
  ])
})

const lines = (keys: string[], closed: string[], columns: number) =>
  gridRows(groupIntoSections(keys.map(metric)), closed, columns).map((row) =>
    row.kind === 'headings'
      ? row.headings.map(({ section, open, span }) => `${section.name} ${open} ${span}`).join(', ')
      : row.keys.map(({ key }) => key).join(' '),
  )

test('the grid has a heading for each section and its charts by rows', () => {
  expect(lines(['a/1', 'a/2', 'a/3', 'b/1'], ['b'], 2)).toEqual(['a true 2', 'a/1 a/2', 'a/3', 'b false 2'])
})

test('small sections share a row', () => {
  expect(lines(['a/1', 'a/2', 'b/1', 'c/1'], [], 3)).toEqual(['a true 2, b true 1', 'a/1 a/2 b/1', 'c true 3', 'c/1'])
  expect(lines(['a/1', 'b/1', 'c/1'], ['b'], 3)).toEqual(['a true 3', 'a/1', 'b false 3', 'c true 3', 'c/1'])
})

test('the charts of a section are spread evenly over its lines', () => {
  const charts = (count: number, columns: number) =>
    lines(
      Array.from({ length: count }, (_, index) => `a/${index}`),
      [],
      columns,
    )
      .slice(1)
      .map((line) => line.split(' ').length)
  expect([charts(3, 2), charts(4, 3), charts(5, 3), charts(7, 3), charts(6, 3)]).toEqual([
    [2, 1],
    [2, 2],
    [3, 2],
    [3, 2, 2],
    [3, 3],
  ])
})

test('a line that is half full or more is filled, a lone chart of three is not', () => {
  expect([columnsOfLine(1, 2), columnsOfLine(2, 3), columnsOfLine(1, 3), columnsOfLine(3, 3)]).toEqual([1, 2, 3, 3])
})

test('what is hidden stands behind everything, whatever it is called', () => {
  const keys = [{ ...metric('a/1'), hidden: true }, metric('a/2'), { ...metric('Hidden/1'), hidden: false }]
  const system = systemCharts([metric('_system/cpu.percent')], true)
  expect(sectionsOf(keys, system).map(({ id, name, keys: list }) => [id, name, list.map(({ key }) => key)])).toEqual([
    ['a', 'a', ['a/2']],
    ['Hidden', 'Hidden', ['Hidden/1']],
    ['/system', 'System', ['_system.cpu.percent']],
    ['/hidden', 'Hidden', ['a/1']],
  ])
  expect(sectionsOf([metric('a/2')], []).map(({ id }) => id)).toEqual(['a'])
})

test('a search is words, or a regular expression', () => {
  const keys = ['train/loss', 'val/loss', 'train/accuracy']
  const find = (search: string) => keys.filter(keyMatcher(search) ?? (() => false))
  expect(find('')).toEqual(keys)
  expect(find('TRAIN acc')).toEqual(['train/accuracy'])
  expect(find('^(train|val)/loss$')).toEqual(['train/loss', 'val/loss'])
  expect(keyMatcher('(')).toBeNull()
})
