import { sendForBytes } from '~/api/client'
import type { SeriesRequest } from '~/api/types'
import { decodeSeries } from '~/charts/decode-series'
import type { KeySeries } from '~/charts/series'
import { api } from '~/lib/path-builder'

/** A request but for its keys: charts that agree in it are asked for together. */
export type SeriesShape = Omit<SeriesRequest, 'keys'>

interface Waiting {
  key: string
  signal: AbortSignal
  resolve: (series: KeySeries) => void
  reject: (error: unknown) => void
}

/** Charts that come into view within this time share a request. */
const GATHER_MILLIS = 20
/** Rows that one answer may hold, so that the first charts of a full screen need not wait for the last. */
const MAX_ROWS = 400_000
const MAX_SERIES = 20_000

/** Gathers what the charts of the viewport ask for into one `POST /series` for each shape. */
export class SeriesLoader {
  private waiting = new Map<string, { shape: SeriesShape; list: Waiting[] }>()

  constructor(private readonly post: (request: SeriesRequest, signal: AbortSignal) => Promise<KeySeries[]>) {}

  load(shape: SeriesShape, key: string, signal: AbortSignal): Promise<KeySeries> {
    return new Promise((resolve, reject) => {
      const name = JSON.stringify(shape)
      let batch = this.waiting.get(name)
      if (batch === undefined) {
        batch = { shape, list: [] }
        this.waiting.set(name, batch)
        setTimeout(() => this.send(name), GATHER_MILLIS)
      }
      batch.list.push({ key, signal, resolve, reject })
    })
  }

  private send(name: string): void {
    const batch = this.waiting.get(name)
    if (batch === undefined) return
    this.waiting.delete(name)
    const { shape } = batch
    const list = batch.list.filter(({ signal }) => !signal.aborted)
    const rowsOfKey = Math.max(1, shape.runs.length * shape.buckets)
    const size = Math.max(1, Math.floor(Math.min(MAX_ROWS / rowsOfKey, MAX_SERIES / Math.max(1, shape.runs.length))))
    for (let start = 0; start < list.length; start += size) void this.sendChunk(shape, list.slice(start, start + size))
  }

  private async sendChunk(shape: SeriesShape, list: Waiting[]): Promise<void> {
    const controller = new AbortController()
    let left = list.length
    for (const { signal } of list) {
      signal.addEventListener('abort', () => {
        left -= 1
        if (left === 0) controller.abort()
      })
    }
    try {
      const keys = [...new Set(list.map(({ key }) => key))]
      const answer = await this.post({ ...shape, keys }, controller.signal)
      const byKey = new Map(answer.map((series) => [series.key, series]))
      for (const { key, resolve, reject } of list) {
        const series = byKey.get(key)
        if (series === undefined) reject(new Error(`the server answered nothing for ${key}`))
        else resolve(series)
      }
    } catch (error) {
      for (const { reject } of list) reject(error)
    }
  }
}

export const seriesLoader = new SeriesLoader(async (request, signal) =>
  decodeSeries(await sendForBytes(api.series(), request, signal)),
)
