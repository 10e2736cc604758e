import { expect, test } from 'vitest'
import type { Artifact } from '~/api/types'
import { metadataCell, metadataColumns } from '~/features/artifacts/metadata-columns'

const columns = (...all: Artifact['metadata'][]) => metadataColumns(all.map((metadata) => ({ metadata })))

test('values that differ are columns, numbers before words, and no more than have room', () => {
  const shared = { task: 'digits', classes: 10, layers: [1, 2] }
  expect(
    columns(
      { ...shared, note: 'a', accuracy: 0.9, loss: 0.1, size: 1 },
      { ...shared, note: 'b', accuracy: 0.8, loss: 0.2, size: 2 },
    ),
  ).toEqual(['accuracy', 'loss'])
  expect(columns({ ...shared, note: 'a' }, { ...shared, note: 'b', accuracy: 0.5 })).toEqual(['accuracy', 'note'])
  expect(columns(shared, shared)).toEqual([])
  expect(columns()).toEqual([])
})

test('a cell shows a single value', () => {
  expect([0.123456789, 'words', true, [1], null, undefined].map(metadataCell)).toEqual([
    '0.12346',
    'words',
    'true',
    '',
    '',
    '',
  ])
})
