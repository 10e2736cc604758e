import { expect, test } from 'vitest'
import { previousVersion } from '~/features/artifacts/diff/previous-version'

const known = (...numbers: number[]) => numbers.map((number) => ({ version: `v${number}` }))

test('the version before is the nearest that is there', () => {
  expect(previousVersion('v10', known(12, 11, 10, 7, 2))).toBe('v7')
  expect(previousVersion('v2', known(12, 10, 2))).toBe(null)
  expect(previousVersion('v0', known(0))).toBe(null)
})

test('of one that is older than all that is known, the next lower number', () => {
  expect(previousVersion('v5', known(200, 199))).toBe('v4')
  expect(previousVersion('v0', known(200, 199))).toBe(null)
})
