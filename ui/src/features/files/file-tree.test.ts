import { expect, test } from 'vitest'
import type { RunFile } from '~/api/types'
import { fileRows, previewKind, searchFiles } from '~/features/files/file-tree'

const file = (path: string, media_type = 'text/plain', size_bytes = 1): RunFile => ({
  path,
  size_bytes,
  sha256: null,
  media_type,
  policy: null,
  modified_at: null,
  updated_at: 0,
})

const outline = (paths: string[], closed: string[] = []) =>
  fileRows(
    paths.map((path) => file(path)),
    new Set(closed),
  ).map((row) => '  '.repeat(row.depth) + row.name + (row.kind === 'folder' ? `/ ${row.count}` : ''))

test('files make a tree, folders first and numbers in their order', () => {
  const paths = ['z.txt', 'epoch-10.pt', 'epoch-9.pt', 'out/b/c.txt', 'out/a.txt']
  expect(outline(paths)).toEqual(['out/ 2', '  b/ 1', '    c.txt', '  a.txt', 'epoch-9.pt', 'epoch-10.pt', 'z.txt'])
  expect(outline(paths, ['out'])).toEqual(['out/ 2', 'epoch-9.pt', 'epoch-10.pt', 'z.txt'])
  expect(outline(paths, ['out/b'])).toEqual(['out/ 2', '  b/ 1', '  a.txt', 'epoch-9.pt', 'epoch-10.pt', 'z.txt'])
  expect(outline([])).toEqual([])
})

test('a search finds all its words anywhere in a path', () => {
  const files = ['checkpoints/model-1.pt', 'logs/Model.txt', 'config.yaml'].map((path) => file(path))
  const found = (search: string) => searchFiles(files, search).map(({ path }) => path)
  expect(found('model')).toEqual(['checkpoints/model-1.pt', 'logs/Model.txt'])
  expect(found('pt check')).toEqual(['checkpoints/model-1.pt'])
  expect(found(' ')).toEqual(files.map(({ path }) => path))
})

test('pages and scripts are shown as text, drawings as pictures', () => {
  expect(['text/html', 'text/javascript', 'application/xml'].map(previewKind)).toEqual(['text', 'text', 'text'])
  expect(['image/svg+xml', 'image/png', 'image/tiff'].map(previewKind)).toEqual(['image', 'image', 'none'])
  expect(['audio/wav', 'video/mp4', 'application/json', 'application/octet-stream'].map(previewKind)).toEqual([
    'audio',
    'video',
    'json',
    'none',
  ])
})
