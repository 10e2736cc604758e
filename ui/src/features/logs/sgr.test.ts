import { expect, test } from 'vitest'
import { PLAIN, parseSgr, plainText } from '~/features/logs/sgr'

const sgr = (parameters: string) => `\u001b[${parameters}m`
/** The style that a sequence leads to. */
const styleOf = (...sequences: string[]) => parseSgr(`${sequences.map(sgr).join('')}x`)[0].style

test('a line is cut where its style changes', () => {
  expect(parseSgr(`plain ${sgr('1;31')}bold red${sgr('0')} plain ${sgr('')}again`)).toEqual([
    { text: 'plain ', style: PLAIN },
    { text: 'bold red', style: { ...PLAIN, bold: true, color: 1 } },
    { text: ' plain again', style: PLAIN },
  ])
  expect([parseSgr(''), parseSgr(sgr('31')), parseSgr('a')]).toEqual([[], [], [{ text: 'a', style: PLAIN }]])
  expect(plainText(`${sgr('1;31')}bold${sgr('0')} plain`)).toBe('bold plain')
})

test('colours of 8, 16, 256 and all', () => {
  expect(styleOf('32').color).toBe(2)
  expect(styleOf('97').color).toBe(15)
  expect(styleOf('38;5;208').color).toBe(208)
  expect(styleOf('38;2;1;20;255').color).toEqual([1, 20, 255])
  expect(styleOf('38:5:208').color).toBe(208)
  expect(styleOf('38:2:1:20:255').color).toEqual([1, 20, 255])
  expect(styleOf('38:2::1:20:255').color).toEqual([1, 20, 255])
  expect(styleOf('44', '1').background).toBe(4)
  expect(styleOf('101').background).toBe(9)
  expect(styleOf('48;5;17;1')).toEqual({ ...PLAIN, background: 17, bold: true })
  expect(styleOf('31;44', '39;49')).toEqual(PLAIN)
})

test('styles are set and taken back', () => {
  expect(styleOf('1;2;3;4;7;9')).toEqual({
    ...PLAIN,
    bold: true,
    dim: true,
    italic: true,
    underline: true,
    inverse: true,
    strike: true,
  })
  expect(styleOf('1;2;3;4;7;9', '22;23;24;27;29')).toEqual(PLAIN)
  expect([styleOf('4:3').underline, styleOf('4:3', '4:0').underline]).toEqual([true, false])
})

test('what means nothing changes nothing', () => {
  for (const parameters of ['38', '38;5', '38;5;256', '38;2;1;2', '38;9', '48:2:1', '5', '8', '53', '999', ';;;']) {
    expect([parameters, styleOf(parameters)]).toEqual([parameters, PLAIN])
  }
})

test('other escape sequences stay in the text, for the page to show them', () => {
  for (const text of ['\u001b[2Jx', '\u001b]0;title\u0007x', '\u001b[31', '\u001b', '\u001b[31;<b>m']) {
    expect(parseSgr(text)).toEqual([{ text, style: PLAIN }])
  }
})

test('a line that is nothing but changes has few pieces', () => {
  const hostile = Array.from({ length: 10_000 }, (_, index) => `${sgr(`38;5;${index % 256}`)}x`).join('')
  const pieces = parseSgr(hostile)
  expect([pieces.length, pieces.map(({ text }) => text).join('').length]).toEqual([200, 10_000])
})
