import { expect, test } from 'vitest'
import { webLink } from '~/lib/web-link'

test('only web addresses are links', () => {
  expect(webLink('https://example.org/ada/train.git')).toBe('https://example.org/ada/train.git')
  expect(webLink('http://ada:secret@example.org/x')).toBe('http://example.org/x')
  const others = [
    'git@example.org:ada/train.git',
    'javascript:alert(1)',
    'data:text/html,x',
    ' https://x',
    'https://',
    '',
  ]
  expect(others.map(webLink)).toEqual(others.map(() => null))
})
