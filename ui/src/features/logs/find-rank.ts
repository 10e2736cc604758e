import type { ConsoleLine } from '~/api/types'
import { PAGE_LINES } from '~/features/logs/console-pages'

/**
 * Which of `total` lines that a search found is the first at or after a line; the first of all when none is. `read` answers
 * a page of what was found; a handful of them is read however many there are.
 */
export async function firstFoundFrom(
  line: number,
  total: number,
  read: (page: number) => Promise<readonly ConsoleLine[]>,
): Promise<number> {
  let low = 0
  let high = Math.ceil(total / PAGE_LINES) - 1
  while (low < high) {
    const middle = (low + high) >> 1
    const last = (await read(middle)).at(-1)
    if (last !== undefined && last.index < line) low = middle + 1
    else high = middle
  }
  const rank = (await read(low)).findIndex(({ index }) => index >= line)
  return rank < 0 ? 0 : low * PAGE_LINES + rank
}
