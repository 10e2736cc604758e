import { expect, test } from 'vitest'
import type { ConsoleLine } from '~/api/types'
import { PAGE_LINES } from '~/features/logs/console-pages'
import { firstFoundFrom } from '~/features/logs/find-rank'

/** A search that found every third line, and the pages that were read of it. */
function everyThird(total: number) {
  const pages = new Set<number>()
  const read = async (page: number): Promise<ConsoleLine[]> => {
    pages.add(page)
    const count = Math.max(0, Math.min(PAGE_LINES, total - page * PAGE_LINES))
    return Array.from({ length: count }, (_, row) => {
      const index = 3 * (page * PAGE_LINES + row)
      return { index, number: index, process: 0, output: 'stdout', time: 0, text: '' }
    })
  }
  return { pages, from: (line: number) => firstFoundFrom(line, total, read) }
}

test('the next find is the first at or after a line, and after the last comes the first', async () => {
  const { from } = everyThird(100_000)
  const ranks = await Promise.all([0, 1, 3, 3 * PAGE_LINES - 1, 150_000, 299_997, 299_998].map(from))
  expect(ranks).toEqual([0, 1, 1, PAGE_LINES, 50_000, 99_999, 0])
  expect(await everyThird(5).from(4)).toBe(2)
  expect(await everyThird(0).from(4)).toBe(0)
})

test('few pages are read, however many there are', async () => {
  const { pages, from } = everyThird(1_000_000)
  await from(1_234_567)
  expect(pages.size).toBeLessThanOrEqual(13)
})
