import { expect, test } from 'vitest'
import { newSecret } from '~/features/alerts/new-secret'

test('a secret is base64 of 24 bytes behind its prefix, another each time', () => {
  const secret = newSecret()
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/)
  expect(newSecret()).not.toBe(secret)
})
