import { expect, test } from 'vitest'
import { digestOf, listEntries, manyFiles, stored } from './artifact-files.ts'
import { ArtifactError, MockArtifacts } from './artifacts.ts'
import { MockData } from './data.ts'

const entries = (folder: string, part: object = {}) =>
  listEntries(manyFiles(), { folder, recursive: false, search: '', cursor: 0, limit: 1_000, ...part })

test('a hundred thousand files are listed folder by folder and page by page', () => {
  const top = entries('')
  expect(top.folders.map(({ path, file_count }) => [path, file_count])).toEqual([
    ['train', 90_000],
    ['unlabelled', 10_000],
  ])
  expect([top.entries, top.next_cursor]).toEqual([[], null])
  const last = entries('unlabelled', { cursor: 9_500 })
  expect([last.folders.length, last.entries.length, last.entries[0].path]).toEqual([0, 500, 'unlabelled/009500.jpeg'])
  expect(entries('unlabelled').next_cursor).toBe('1000')
  expect(entries('', { recursive: true, search: 'N01440849/0' }).entries.length).toBe(180)
})

test('the digest of a file is what the field makes of it', () => {
  expect(digestOf([stored('f.txt', 'x')])).toBe('b5bb294db471aca958bc8035648c5a99')
  expect(digestOf([])).toBe('64e7c61456b10382e2f3b571ac24b659')
})

test('what is protected or held by an alias is refused', () => {
  const artifacts = new MockArtifacts(new MockData(0), 0)
  const model = artifacts.find('demo', 'small-gpt')
  const refused = (change: () => unknown) => expect(change).toThrow(ArtifactError)
  refused(() => artifacts.update(model, 1, { add_aliases: ['production'] }))
  refused(() => artifacts.update(model, 209, { remove_aliases: ['production'] }))
  refused(() => artifacts.update(model, 1, { add_aliases: ['v7'] }))
  refused(() => artifacts.remove(model, 209, true))
  refused(() => artifacts.remove(model, 243, false))
  artifacts.remove(model, 243, true)
  expect(artifacts.describe(model).aliases.map(({ alias }) => alias)).toEqual([
    'before-the-bug-in-the-loader',
    'candidate',
    'latest',
    'production',
  ])
  refused(() => artifacts.remove(model, 259, false))
  artifacts.remove(model, 259, true)
  expect(artifacts.describe(model).latest_version).toBe('v258')
  expect(artifacts.artifact(model, 258).aliases).toEqual(['latest'])
})
