import { expect, test } from 'vitest'
import { PLAIN } from '~/features/logs/sgr'
import { colorsOf, contrast, readable, rgbOf, textColor } from '~/features/logs/terminal-color'

test('256 colours are those of every terminal', () => {
  expect([0, 9, 16, 21, 208, 231, 232, 255].map(rgbOf)).toEqual([
    [0, 0, 0],
    [255, 0, 0],
    [0, 0, 0],
    [0, 0, 255],
    [255, 135, 0],
    [255, 255, 255],
    [8, 8, 8],
    [238, 238, 238],
  ])
})

test('any colour can be read in both themes', () => {
  for (let color = 16; color < 256; color += 1) {
    for (const page of [[255, 255, 255] as const, [21, 22, 26] as const]) {
      expect(contrast(readable(rgbOf(color), page), page)).toBeGreaterThanOrEqual(4.5)
    }
  }
  expect(textColor([255, 255, 0])).toBe('light-dark(rgb(102 102 0), rgb(255 255 0))')
  expect(textColor(3)).toBe('var(--terminal-3)')
})

test('text on a background can be read too', () => {
  const on = (part: Partial<typeof PLAIN>) => colorsOf({ ...PLAIN, ...part })
  expect(on({})).toEqual({})
  expect(on({ color: 2 })).toEqual({ color: 'var(--terminal-2)' })
  expect(on({ background: 226 })).toEqual({ color: '#16181f', background: 'rgb(255 255 0)' })
  expect(on({ background: 4 })).toEqual({ color: 'var(--surface)', background: 'var(--terminal-4)' })
  expect(on({ color: [250, 250, 250], background: [255, 255, 255] })).toEqual({
    color: 'rgb(100 100 100)',
    background: 'rgb(255 255 255)',
  })
  expect(on({ color: 0, background: 0 })).toEqual({ color: 'var(--surface)', background: 'var(--terminal-0)' })
  expect(on({ color: [9, 9, 9], background: [9, 9, 9] })).toEqual({
    color: 'rgb(132 132 132)',
    background: 'rgb(9 9 9)',
  })
  expect(on({ inverse: true })).toEqual({ color: 'var(--surface)', background: 'var(--text)' })
  expect(on({ color: 1, inverse: true })).toEqual({ color: 'var(--surface)', background: 'var(--terminal-1)' })
})
