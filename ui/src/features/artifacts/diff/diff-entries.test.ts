import { expect, test } from 'vitest'
import type { ArtifactEntry, DiffChange, DiffEntry } from '~/api/types'
import { filterEntries, growthOf, movesOf, visibleShares } from '~/features/artifacts/diff/diff-entries'

const entry = (path: string, sha256: string | null, size_bytes: number | null = 10): ArtifactEntry => ({
  path,
  size_bytes,
  digest: sha256 ?? path,
  sha256,
  reference: sha256 === null ? `s3://bucket/${path}` : null,
  extra: {},
  media_type: 'text/plain',
})
const changed = (
  path: string,
  change: DiffChange,
  before: ArtifactEntry | null,
  after: ArtifactEntry | null,
): DiffEntry => ({
  path,
  change,
  before,
  after,
})
const added = (path: string, sha256: string | null) => changed(path, 'added', null, entry(path, sha256))
const removed = (path: string, sha256: string | null) => changed(path, 'removed', entry(path, sha256), null)

const all = new Set<DiffChange>(['added', 'changed', 'removed'])

test('entries are found by all words of their path, and by what became of them', () => {
  const entries = [added('data/Train.csv', 'a'), removed('data/old.csv', 'b'), removed('notes.md', 'c')]
  const paths = (search: string, changes: ReadonlySet<DiffChange> = all) =>
    filterEntries(entries, search, changes).map(({ path }) => path)
  expect(paths('DATA csv')).toEqual(['data/Train.csv', 'data/old.csv'])
  expect(paths('', new Set<DiffChange>(['removed']))).toEqual(['data/old.csv', 'notes.md'])
  expect(filterEntries(entries, ' ', all)).toBe(entries)
})

test('the same content under another path was moved there, each only once', () => {
  const moves = movesOf([
    added('b/1', 'x'),
    added('b/2', 'x'),
    removed('a/1', 'x'),
    removed('a/2', 'y'),
    added('c', null),
  ])
  expect(moves).toEqual(new Map([['b/1', 'a/1']]))
})

test('growth counts what is not there as nothing, and knows what it does not know', () => {
  expect(growthOf(changed('p', 'changed', entry('p', 'a', 10), entry('p', 'b', 4)))).toBe(-6)
  expect(growthOf(added('p', 'a'))).toBe(10)
  expect(growthOf(changed('p', 'changed', entry('p', null, null), entry('p', 'b')))).toBe(null)
})

test('a small share can be seen beside a large one', () => {
  expect(visibleShares([0, 1, 99_999])).toEqual([0, expect.closeTo(0.0099, 4), expect.closeTo(0.9901, 4)])
  expect(visibleShares([1, 1])).toEqual([0.5, 0.5])
  expect(visibleShares([0, 0])).toEqual([0, 0])
})
