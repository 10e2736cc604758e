import { expect, test } from 'vitest'
import { binOf, heatMap, readHistogram, totalOf } from '~/charts/histogram'

test('a histogram is read with its edges, or with what they are made of', () => {
  expect(readHistogram({ _type: 'histogram', values: [2, 1], bins: [0, 0.5, 1] })).toEqual({
    counts: [2, 1],
    edges: [0, 0.5, 1],
  })
  expect(readHistogram({ _type: 'histogram', values: [2, 1], packedBins: { min: -1, size: 0.5, count: 2 } })).toEqual({
    counts: [2, 1],
    edges: [-1, -0.5, 0],
  })
})

test('what is no histogram is none', () => {
  const good = { _type: 'histogram', values: [2, 1], bins: [0, 0.5, 1] }
  for (const value of [
    'text',
    null,
    [],
    { ...good, _type: 'image' },
    { ...good, values: [2, 1, 3] },
    { ...good, values: [2, -1] },
    { ...good, values: [2, 'NaN'] },
    { ...good, bins: [0, 0, 1] },
    { ...good, bins: [1, 0.5, 0] },
    { ...good, values: [], bins: [0] },
    { ...good, bins: undefined, packedBins: { min: 0, size: 1, count: 1e9 } },
    { ...good, bins: undefined, packedBins: { min: 0, size: 0, count: 2 } },
  ]) {
    expect(readHistogram(value as never)).toBeNull()
  }
})

test('a value is in the bin that begins at it or below, the last edge in the last', () => {
  const histogram = { counts: [1, 2, 3], edges: [0, 1, 2, 4] }
  expect([-0.1, 0, 0.99, 1, 3.9, 4, 4.1, Number.NaN].map((value) => binOf(histogram, value))).toEqual([
    -1, 0, 0, 1, 2, 2, -1, -1,
  ])
  expect(totalOf(histogram)).toBe(6)
})

test('histograms with different edges share one scale, and nothing of them is lost', () => {
  const map = heatMap(
    [
      { counts: [1, 3], edges: [0, 1, 2] },
      { counts: [4], edges: [1, 3] },
    ],
    3,
  )
  expect(map).toEqual({
    low: 0,
    high: 3,
    columns: [Float64Array.of(0.25, 0.75, 0), Float64Array.of(0, 0.5, 0.5)],
    most: 0.75,
  })
  const fine = heatMap([{ counts: [5, 0, 7, 1], edges: [-1, -0.3, 0.2, 0.9, 7] }], 64)
  expect(fine.columns[0].reduce((sum, share) => sum + share)).toBeCloseTo(1, 12)
})

test('empty bins at the ends make no room, and nothing at all makes an empty picture', () => {
  const { low, high } = heatMap([{ counts: [0, 2, 0, 1, 0], edges: [0, 1, 2, 3, 4, 5] }], 4)
  expect([low, high]).toEqual([1, 4])
  expect(heatMap([{ counts: [0], edges: [0, 1] }], 2)).toEqual({
    low: 0,
    high: 1,
    columns: [new Float64Array(2)],
    most: 0,
  })
})
