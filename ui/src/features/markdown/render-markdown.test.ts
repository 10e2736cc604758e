import { expect, test } from 'vitest'
import { renderMarkdown } from '~/features/markdown/render-markdown'

test('markdown becomes HTML', () => {
  expect(renderMarkdown('**bold** `code`')).toBe('<p><strong>bold</strong> <code>code</code></p>\n')
})

test('raw HTML is shown as text', () => {
  expect(renderMarkdown('<script>alert(1)</script> <img src=x onerror=alert(1)>')).toBe(
    '<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x onerror=alert(1)&gt;</p>\n',
  )
})

test('links lead to web addresses only, and tell them nothing', () => {
  expect(renderMarkdown('[a](https://example.org)')).toBe(
    '<p><a href="https://example.org" rel="noopener noreferrer nofollow" target="_blank">a</a></p>\n',
  )
  for (const url of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    '//evil.example',
    '&#106;avascript:alert(1)',
  ]) {
    expect(renderMarkdown(`[a](${url})`)).not.toContain('<a')
  }
})

test('pictures become links, so that nobody learns who reads the notes', () => {
  expect(renderMarkdown('![seen "<b>](https://example.org/p.png)')).toBe(
    '<p><a href="https://example.org/p.png" rel="noopener noreferrer nofollow" target="_blank">seen &quot;&lt;b&gt;</a></p>\n',
  )
})

test('maths is set, prices are not, and maths cannot link or embed', () => {
  expect(renderMarkdown('$x^2$')).toContain('class="katex"')
  expect(renderMarkdown('$$x$$')).toContain('katex-display')
  expect(renderMarkdown('from $5 to $10')).toBe('<p>from $5 to $10</p>\n')
  expect(renderMarkdown('$\\href{javascript:alert(1)}{x}$')).not.toContain('href="javascript')
  expect(renderMarkdown('$\\includegraphics{https://example.org/x.png}$')).not.toContain('<img')
  expect(renderMarkdown('$\\frac{$')).toContain('katex-error')
})
