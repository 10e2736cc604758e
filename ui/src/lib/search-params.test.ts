import { expect, test } from 'vitest'
import { joinList, parseSearch, splitList, stringifySearch } from '~/lib/search-params'

test('lists survive commas and backslashes', () => {
  for (const list of [[], ['a'], ['a,b', 'c\\d', '\\,'], ['', 'x']]) expect(splitList(joinList(list))).toEqual(list)
})

test('an address is readable and read back', () => {
  const search = { q: 'config.lr > 1e-3 & "x"', keys: 'train/loss', zoom: '1~2' }
  const text = stringifySearch(search)
  expect(text).toBe('?q=config.lr+%3E+1e-3+%26+%22x%22&keys=train/loss&zoom=1~2')
  expect(parseSearch(text)).toEqual(search)
  expect(stringifySearch({})).toBe('')
})
