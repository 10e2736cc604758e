import { expect, test } from 'vitest'
import { countCrossings, minimizeCrossings } from '~/features/artifacts/lineage/minimize-crossings'

type Links = [number, number][]

function crossingsOf(columns: number[][], layers: number[], links: Links): number {
  const places = new Int32Array(layers.length)
  for (const column of columns) for (const [place, node] of column.entries()) places[node] = place
  const after = layers.map((_, node) => links.filter(([from]) => from === node).map(([, to]) => to))
  return countCrossings(columns, after, places)
}

test('crossings are counted, also between more than two', () => {
  const layers = [0, 0, 0, 1, 1, 1]
  const links: Links = [[0, 5], [1, 4], [2, 3]] // biome-ignore format: a line is easier to read
  expect(crossingsOf([[0, 1, 2], [3, 4, 5]], layers, links)).toBe(3) // biome-ignore format: as above
  expect(crossingsOf([[0, 1, 2], [5, 4, 3]], layers, links)).toBe(0) // biome-ignore format: as above
  // Links that share an end do not cross.
  expect(crossingsOf([[0, 1, 2], [3, 4, 5]], layers, [[0, 3], [0, 4], [1, 4], [2, 4]])).toBe(0) // biome-ignore format: as above
})

test('an order without crossings is found where there is one', () => {
  // Three ways side by side whose nodes are numbered criss-cross.
  const layers = [0, 0, 0, 1, 1, 1, 2, 2, 2]
  const links: Links = [[0, 5], [1, 3], [2, 4], [3, 8], [4, 6], [5, 7]] // biome-ignore format: a line is easier to read
  const columns = minimizeCrossings(layers, links)
  expect(crossingsOf(columns, layers, links)).toBe(0)
  expect(columns.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('what nothing tells apart stays in its order', () => {
  const links: Links = [[0, 1], [0, 2], [0, 3]] // biome-ignore format: a line is easier to read
  expect(minimizeCrossings([0, 1, 1, 1], links)).toEqual([[0], [1, 2, 3]])
  expect(minimizeCrossings([], [])).toEqual([])
})
