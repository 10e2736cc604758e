import { expect, test } from 'vitest'
import { keyLabel } from '~/lib/key-label'

test('a key is shown without its escapes', () => {
  expect(keyLabel('layer\\.0/weight\\.1')).toBe('layer.0/weight.1')
  expect(keyLabel('a\\\\b.c')).toBe('a\\b.c')
  expect(keyLabel('train/loss')).toBe('train/loss')
})
