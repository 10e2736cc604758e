import { expect, test } from 'vitest'
import { pageTitle } from '~/hooks/use-title'

test('a title says the most particular first and leaves out what is not known yet', () => {
  expect(pageTitle(['lr-0.1', 'digits'])).toBe('lr-0.1 · digits · steplog')
  expect(pageTitle([undefined, 'digits'])).toBe('digits · steplog')
  expect(pageTitle([])).toBe('steplog')
})
