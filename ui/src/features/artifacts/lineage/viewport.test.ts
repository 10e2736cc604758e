import { expect, test } from 'vitest'
import {
  between,
  filled,
  fitted,
  keptInSight,
  MAX_SCALE,
  MIN_SCALE,
  revealed,
  toPlane,
  zoomedTo,
} from '~/features/artifacts/lineage/viewport'

const screen = { width: 1000, height: 500 }

test('zooming keeps the point under the pointer, and has bounds', () => {
  const view = { x: 30, y: -20, scale: 0.5 }
  const zoomed = zoomedTo(view, 1.5, 400, 200)
  expect(zoomed.scale).toBe(1.5)
  expect(toPlane(zoomed, 400, 200)).toEqual(toPlane(view, 400, 200))
  expect(zoomedTo(view, 99, 0, 0).scale).toBe(MAX_SCALE)
  expect(zoomedTo(view, 0, 0, 0).scale).toBe(MIN_SCALE)
})

test('fitting shows all of it in the middle, and enlarges nothing', () => {
  expect(fitted({ x: 0, y: 0, width: 100, height: 100 }, screen, 20)).toEqual({ x: 450, y: 200, scale: 1 })
  expect(fitted({ x: 0, y: 0, width: 1920, height: 10 }, screen, 20)).toEqual({ x: 20, y: 247.5, scale: 0.5 })
})

test('what is in sight is revealed without a move, else with the least', () => {
  const view = { x: 0, y: 0, scale: 1 }
  expect(revealed(view, { x: 100, y: 100, width: 50, height: 50 }, screen, 20)).toEqual(view)
  expect(revealed(view, { x: 2000, y: 100, width: 50, height: 50 }, screen, 20)).toEqual({ x: -1070, y: 0, scale: 1 })
  expect(revealed(view, { x: -100, y: 490, width: 50, height: 50 }, screen, 20)).toEqual({ x: 120, y: -60, scale: 1 })
})

test('a graph cannot be lost from sight', () => {
  const plane = { width: 300, height: 100 }
  expect(keptInSight({ x: 5000, y: -5000, scale: 1 }, plane, screen, 40)).toEqual({ x: 960, y: -60, scale: 1 })
  expect(keptInSight({ x: 10, y: 10, scale: 1 }, plane, screen, 40)).toEqual({ x: 10, y: 10, scale: 1 })
})

test('a view is filled as far as the graph goes', () => {
  const plane = { width: 4000, height: 100 }
  expect(filled({ x: 300, y: 0, scale: 1 }, plane, screen, 40)).toEqual({ x: 40, y: 200, scale: 1 })
  expect(filled({ x: -3500, y: 0, scale: 1 }, plane, screen, 40)).toEqual({ x: -3040, y: 200, scale: 1 })
  expect(filled({ x: -500, y: 0, scale: 1 }, plane, screen, 40)).toEqual({ x: -500, y: 200, scale: 1 })
})

test('the way from one view to another begins and ends at them', () => {
  const from = { x: 0, y: 0, scale: 1 }
  const to = { x: -300, y: 40, scale: 0.25 }
  expect(between(from, to, screen, 0)).toEqual(from)
  expect(between(from, to, screen, 1)).toEqual(to)
  expect(between(from, to, screen, 0.5).scale).toBe(0.5)
})
