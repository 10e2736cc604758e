import { expect, test } from 'vitest'
import { metadataDiff } from '~/features/artifacts/diff/metadata-diff'

test('values that came, went and changed, wherever they stand', () => {
  const before = { rows: 10, split: { train: 0.8, test: 0.2 }, classes: ['a'], gone: null }
  const after = { rows: 12, split: { train: 0.8 }, classes: ['a'], fresh: { deep: true } }
  expect(metadataDiff(before, after)).toEqual([
    { path: 'fresh.deep', change: 'added', before: undefined, after: true },
    { path: 'gone', change: 'removed', before: null, after: undefined },
    { path: 'rows', change: 'changed', before: 10, after: 12 },
    { path: 'split.test', change: 'removed', before: 0.2, after: undefined },
  ])
  expect(metadataDiff(after, after)).toEqual([])
})

test('an object in place of a value, and an empty one', () => {
  expect(metadataDiff({ a: 1, b: {} }, { a: { c: 1 }, b: {} })).toEqual([
    { path: 'a', change: 'removed', before: 1, after: undefined },
    { path: 'a.c', change: 'added', before: undefined, after: 1 },
  ])
})
