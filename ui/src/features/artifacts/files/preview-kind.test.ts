import { expect, test } from 'vitest'
import { isEntryPath, previewKind, sceneFormat } from '~/features/artifacts/files/preview-kind'

const kind = (path: string, media_type: string, reference: string | null = null) =>
  previewKind({ path, media_type, reference })

test('files are shown by what their names say they are', () => {
  expect(kind('a/predictions.table.json', 'application/json')).toBe('table')
  expect(kind('a.image-file.json', 'application/json')).toBe('media')
  expect(kind('cloud.pts.json', 'application/json')).toBe('scene')
  expect(kind('cloud.json', 'application/json')).toBe('json')
  expect(kind('part.STL', 'model/stl')).toBe('scene')
  expect(kind('a.csv', 'text/csv')).toBe('delimited')
  expect(kind('a.tsv', 'text/tab-separated-values')).toBe('delimited')
  expect(kind('README.md', 'text/markdown')).toBe('markdown')
  expect(kind('page.html', 'text/html')).toBe('text')
  expect(kind('a.png', 'image/png')).toBe('image')
  expect(kind('weights.bin', 'application/octet-stream')).toBe('none')
  expect(kind('a.png', 'image/png', 's3://bucket/a.png')).toBe('reference')
})

test('the longest ending of a scene counts', () => {
  expect(['a.obj', 'a.gltf', 'a.glb', 'a.stl', 'a.pts.json', 'a.json', 'obj'].map(sceneFormat)).toEqual([
    'obj',
    'gltf',
    'glb',
    'stl',
    'pts.json',
    null,
    null,
  ])
})

test('a path that would lead out of the version is none of its files', () => {
  expect(['a.png', 'media/images/a b.png', '...', 'a/..b'].map(isEntryPath)).toEqual([true, true, true, true])
  expect(['', '/a', 'a//b', '../a', 'a/../../b', './a', 'a/.', 'a/'].map(isEntryPath)).toEqual(Array(8).fill(false))
})
