import { expect, test } from 'vitest'
import { diffLines } from '~/features/files/diff-lines'

test('what was added and removed is told from what names files', () => {
  const diff = ['diff --git a/x b/x', '--- a/x', '+++ b/x', '@@ -1,3 +1,3 @@', ' same', '-old', '--- old', '+new']
  const kinds = diffLines(`${diff.join('\n')}\ndiff --git a/y b/y\n--- a/y\n`).map(({ kind }) => kind)
  expect(kinds).toEqual(['file', 'file', 'file', 'part', 'same', 'removed', 'removed', 'added', 'file', 'file'])
  expect(diffLines('')).toEqual([])
})
