import { expect, test } from 'vitest'
import { layoutGraph } from '~/features/artifacts/lineage/graph-layout'

const box = { width: 100, height: 40 }
const boxes = (count: number) => Array.from({ length: count }, () => box)

test('a chain is a straight line from left to right', () => {
  const layout = layoutGraph(boxes(3), [
    [0, 1],
    [1, 2],
  ])
  expect(layout).toEqual({
    x: Float64Array.of(0, 184, 368),
    y: Float64Array.of(0, 0, 0),
    paths: [
      [100, 20, 184, 20],
      [284, 20, 368, 20],
    ],
    width: 468,
    height: 40,
  })
})

test('siblings stand one below the other, and what they came from in their middle', () => {
  const { y, height } = layoutGraph(boxes(4), [
    [0, 1],
    [0, 2],
    [0, 3],
  ])
  expect([...y]).toEqual([52, 0, 52, 104])
  expect(height).toBe(144)
})

test('a link over a column has room in it and touches no box', () => {
  const { x, y, paths } = layoutGraph(boxes(3), [
    [0, 1],
    [1, 2],
    [0, 2],
  ])
  const [startX, , leftX, leftY, rightX, rightY] = paths[2]
  expect([startX, leftX, rightX]).toEqual([100, 184, 284])
  expect(leftY).toBe(rightY)
  expect(leftY < y[1] || leftY > y[1] + 40).toBe(true)
  expect([...x]).toEqual([0, 184, 368])
})

test('a link back begins at the left of where it comes from', () => {
  const { paths } = layoutGraph(boxes(2), [
    [0, 1],
    [1, 0],
  ])
  expect(paths).toEqual([
    [100, 20, 184, 20],
    [184, 20, 100, 20],
  ])
})

test('narrow boxes stand in the middle of their column', () => {
  const { x, width } = layoutGraph([box, box, { width: 10, height: 10 }], [
    [0, 1],
    [0, 2],
  ]) // biome-ignore format: as the others
  expect([...x]).toEqual([0, 184, 229])
  expect(width).toBe(284)
})

test('nothing overlaps in a graph of a thousand', () => {
  const links: [number, number][] = []
  for (let node = 1; node < 1_000; node += 1) links.push([Math.floor((node - 1) / 3), node], [node % 7, node])
  const { x, y } = layoutGraph(boxes(1_000), links)
  const inOrder = [...x.keys()].sort((a, b) => x[a] - x[b] || y[a] - y[b])
  for (const [index, node] of inOrder.slice(1).entries()) {
    const above = inOrder[index]
    if (x[node] === x[above]) expect(y[node] - y[above]).toBeGreaterThan(51.999)
  }
})

test('nothing is laid out as nothing', () => {
  expect(layoutGraph([], [])).toEqual({ x: new Float64Array(), y: new Float64Array(), paths: [], width: 0, height: 0 })
})
