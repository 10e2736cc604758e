import { expect, test } from 'vitest'
import { ALIAS_COLORS, aliasColor } from '~/lib/alias-color'

const STAGES = [
  'production',
  'staging',
  'best',
  'candidate',
  'champion',
  'dev',
  'baseline',
  'archived',
  'challenger',
  'canary',
  'test',
  'prod',
]

test('usual stages have a colour each, and latest has none', () => {
  expect(new Set(STAGES.map(aliasColor)).size).toBe(STAGES.length)
  expect(aliasColor('latest')).toBeNull()
})

test('many aliases use all colours', () => {
  const used = new Set(Array.from({ length: 100 }, (_, index) => aliasColor(`release-${index}`)))
  expect([...used].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: ALIAS_COLORS }, (_, index) => index),
  )
})
