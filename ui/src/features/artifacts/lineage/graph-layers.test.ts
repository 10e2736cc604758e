import { expect, test } from 'vitest'
import { depthsOf, layersOf } from '~/features/artifacts/lineage/graph-layers'

type Links = [number, number][]

test('arrows go to a later column, and what is first used late stands right before that', () => {
  // 0 → 1 → 2 → 3, and 4 is used by 3 only.
  const links: Links = [[0, 1], [1, 2], [2, 3], [4, 3]] // biome-ignore format: a line is easier to read
  expect(layersOf(5, links)).toEqual({ layers: Int32Array.of(0, 1, 2, 3, 2), turned: new Set() })
  expect([...depthsOf(5, links).layers]).toEqual([0, 1, 2, 3, 0])
})

test('the longest way decides', () => {
  const links: Links = [[0, 3], [0, 1], [1, 2], [2, 3]] // biome-ignore format: a line is easier to read
  expect([...layersOf(4, links).layers]).toEqual([0, 1, 2, 3])
})

test('the arrow that closes a circle is turned round', () => {
  // 3 → 0 → 1 → 2 → 0, and one that leads to itself.
  const links: Links = [[0, 1], [1, 2], [2, 0], [3, 0], [2, 2]] // biome-ignore format: a line is easier to read
  expect(layersOf(4, links)).toEqual({ layers: Int32Array.of(1, 2, 3, 0), turned: new Set([2, 4]) })
  expect(layersOf(2, [[0, 1], [1, 0]])).toEqual({ layers: Int32Array.of(0, 1), turned: new Set([1]) }) // biome-ignore format: as above
})

test('a chain of fifty thousand does not run out of stack', () => {
  const links = Array.from({ length: 49_999 }, (_, index): [number, number] => [index, index + 1])
  expect(layersOf(50_000, links).layers[49_999]).toBe(49_999)
})
