import { expect, test, vi } from 'vitest'
import type { SeriesRequest } from '~/api/types'
import type { KeySeries } from '~/charts/series'
import { SeriesLoader, type SeriesShape } from '~/features/metrics/series-loader'

const shape: SeriesShape = { runs: ['a/p/1'], x: { kind: 'step' }, range: null, buckets: 512 }
const grid = { from: 0, width: 1, buckets: 1, exact: true }
const answer = (request: SeriesRequest): KeySeries[] =>
  request.keys.map((key) => ({ key, grid: { ...grid, key }, series: [] }))

test('charts that come into view together share one request', async () => {
  const post = vi.fn(async (request: SeriesRequest) => answer(request))
  const loader = new SeriesLoader(post)
  const { signal } = new AbortController()
  const series = await Promise.all(['a', 'b', 'a'].map((key) => loader.load(shape, key, signal)))
  expect(series.map(({ key }) => key)).toEqual(['a', 'b', 'a'])
  expect(post.mock.calls.map(([request]) => request)).toEqual([{ ...shape, keys: ['a', 'b'] }])
})

test('charts that differ in range ask apart, and gone ones not at all', async () => {
  const post = vi.fn(async (request: SeriesRequest) => answer(request))
  const loader = new SeriesLoader(post)
  const { signal } = new AbortController()
  const gone = new AbortController()
  void loader.load(shape, 'gone', gone.signal)
  gone.abort()
  await Promise.all([loader.load(shape, 'a', signal), loader.load({ ...shape, range: [0, 5] }, 'a', signal)])
  expect(post.mock.calls.map(([request]) => [request.keys, request.range])).toEqual([
    [['a'], null],
    [['a'], [0, 5]],
  ])
})

test('a big screenful is split, and a failure reaches every chart of its request', async () => {
  const post = vi.fn(async (): Promise<KeySeries[]> => Promise.reject(new Error('no')))
  const loader = new SeriesLoader(post)
  const { signal } = new AbortController()
  const many = { ...shape, runs: Array.from({ length: 400 }, (_, index) => `a/p/${index}`) }
  const results = await Promise.allSettled(['a', 'b', 'c'].map((key) => loader.load(many, key, signal)))
  expect(post).toHaveBeenCalledTimes(3)
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})
