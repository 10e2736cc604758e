import { expect, test } from 'vitest'
import type { ArtifactEntry } from '~/api/types'
import { entryRows, type FolderContent, foldersOf } from '~/features/artifacts/files/entry-rows'

const entry = (path: string): ArtifactEntry => ({
  path,
  size_bytes: 1,
  digest: '',
  sha256: null,
  reference: null,
  extra: {},
  media_type: 'text/plain',
})

function content(folders: string[], entries: string[], part: Partial<FolderContent> = {}): FolderContent {
  return {
    folders: folders.map((path) => ({ path, file_count: 1, size_bytes: 1 })),
    entries: entries.map(entry),
    pages: 1,
    complete: true,
    error: null,
    ...part,
  }
}

const outline = (tree: Record<string, FolderContent>, open: string[]) =>
  entryRows(
    (path) => tree[path],
    (path) => open.includes(path),
  ).map((row) => `${'  '.repeat(row.depth)}${'name' in row ? row.name : row.kind}${row.kind === 'folder' ? '/' : ''}`)

test('folders come before files and show what is in them when they are open and read', () => {
  const tree = { '': content(['b', 'a10', 'a9'], ['z.txt']), a9: content(['a9/in'], ['a9/2.txt', 'a9/10.txt']) }
  expect(outline(tree, [])).toEqual(['a9/', 'a10/', 'b/', 'z.txt'])
  expect(outline(tree, ['a9'])).toEqual(['a9/', '  in/', '  2.txt', '  10.txt', 'a10/', 'b/', 'z.txt'])
  expect(outline(tree, ['b'])).toEqual(['a9/', 'a10/', 'b/', '  more', 'z.txt'])
  expect(outline({}, [])).toEqual(['more'])
})

test('a folder of many pages keeps its order while it grows, and says where it goes on or failed', () => {
  const many = content([], ['10.txt', '2.txt'], { pages: 1, complete: false })
  expect(outline({ '': many }, [])).toEqual(['10.txt', '2.txt', 'more'])
  const all = content([], ['10.txt', '2.txt', '3.txt'], { pages: 2 })
  expect(outline({ '': all }, [])).toEqual(['10.txt', '2.txt', '3.txt'])
  const failed = content([], ['10.txt'], { complete: false, error: new Error('gone') })
  expect(outline({ '': failed }, [])).toEqual(['10.txt', 'error'])
})

test('a path is in all folders before its name', () => {
  expect(foldersOf('a/b/c.txt')).toEqual(['a', 'a/b'])
  expect(foldersOf('c.txt')).toEqual([])
})
