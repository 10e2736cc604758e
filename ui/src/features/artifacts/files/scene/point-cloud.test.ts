import { expect, test } from 'vitest'
import { boxEdges, NotAScene, type Point, readPointCloud } from '~/features/artifacts/files/scene/point-cloud'

test('points are read with colours, categories or neither, and what is no point is left out', () => {
  const cloud = readPointCloud('[[1,2,3],[4,5,6,2],[7,8,9,255,0,51],["a",1,2],null,[1,2]]')
  expect([...cloud.positions]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([...cloud.colors].map((part) => Math.round(part * 255))).toEqual([140, 158, 242, 245, 154, 66, 255, 0, 51])
  expect([cloud.boxes, cloud.vectors]).toEqual([[], []])
})

test('boxes and vectors of a scene are read as far as they are some', () => {
  const corners = CUBE
  const scene = {
    points: [],
    boxes: [{ corners, label: 'car', color: [255, 0, 0] }, { corners: corners.slice(1) }, null, { corners }],
    vectors: [{ start: [0, 0, 0], end: [1, 1, 1] }, { start: [0, 0] }],
  }
  const cloud = readPointCloud(JSON.stringify(scene))
  expect(cloud.boxes).toEqual([
    { corners, label: 'car', color: [1, 0, 0] },
    { corners, label: null, color: null },
  ])
  expect(cloud.vectors).toEqual([{ start: [0, 0, 0], end: [1, 1, 1] }])
  for (const text of ['', '{', '{}', '3', 'null', '{"points":{}}'])
    expect(() => readPointCloud(text)).toThrow(NotAScene)
})

const CUBE: Point[] = [
  [0, 0, 0],
  [0, 4, 0],
  [4, 0, 0],
  [4, 4, 0],
  [0, 0, 1],
  [0, 4, 1],
  [4, 0, 1],
  [4, 4, 1],
]

test('a box has twelve edges, in whatever order its corners come', () => {
  const lengths = (corners: Point[]) =>
    boxEdges(corners)
      .map(([a, b]) => Math.hypot(...corners[a].map((value, axis) => value - corners[b][axis])))
      .sort((a, b) => a - b)
  const expected = [1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4]
  expect(lengths(CUBE)).toEqual(expected)
  expect(lengths([...CUBE].reverse())).toEqual(expected)
  expect(lengths([0, 5, 3, 6, 1, 4, 7, 2].map((index) => CUBE[index]))).toEqual(expected)
})
