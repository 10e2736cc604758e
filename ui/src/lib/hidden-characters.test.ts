import { expect, test } from 'vitest'
import { describeHidden, splitHidden } from '~/lib/hidden-characters'

const shown = (text: string) =>
  splitHidden(text)
    .map((part) => (part.kind === 'text' ? part.text : `<${part.label}>`))
    .join('')

test('what is seen stays as it is', () => {
  for (const text of ['', 'plain', 'tab\tstays', 'naïve café 日本語 עברית', '👩‍🚀 👍🏽 ❤️', 'می‌خواهم']) {
    expect(splitHidden(text)).toEqual([{ kind: 'text', text }])
  }
})

test('control characters are shown by their names', () => {
  expect(shown('a\u0000b\u001b[2J\u0007\u007f\r\n')).toBe('a<NUL>b<ESC>[2J<BEL><DEL><CR><LF>')
  expect(shown('\u009b31m')).toBe('<U+009B>31m')
})

test('characters that turn text around or have no width are shown by their numbers', () => {
  expect(shown('access\u202e\u2066 // admin\u2069')).toBe('access<U+202E><U+2066> // admin<U+2069>')
  expect(shown('pass\u200bword\ufeff\u00ad')).toBe('pass<U+200B>word<U+FEFF><U+00AD>')
  expect(shown('a\u200db x\u{e0041}')).toBe('a<U+200D>b x<U+E0041>')
  expect([describeHidden('\u202e'), describeHidden('\u0007')]).toEqual([
    'U+202E right-to-left override',
    'control character U+0007',
  ])
})
