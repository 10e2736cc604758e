import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LiveSession } from '~/features/live/live-session'

/** A stream that opens when the test says so. */
class FakeEventSource extends EventTarget {
  static last: FakeEventSource
  static readonly CLOSED = 2
  readyState = 0

  constructor(readonly url: string) {
    super()
    FakeEventSource.last = this
  }

  open(): void {
    this.dispatchEvent(new Event('open'))
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED
  }
}

beforeEach(() => {
  vi.stubGlobal('EventSource', FakeEventSource)
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
})
afterEach(() => vi.unstubAllGlobals())

test('what was answered before the stream was open is asked for again, and nothing else', async () => {
  const queries = new QueryClient()
  const asked = { early: 0, slow: 0 }
  const observe = (key: keyof typeof asked, answer: () => Promise<number>) =>
    new QueryObserver(queries, { queryKey: [key], queryFn: answer, staleTime: Number.POSITIVE_INFINITY }).subscribe(
      () => undefined,
    )
  let finish: (value: number) => void = () => undefined
  const ends = [
    observe('early', () => Promise.resolve(++asked.early)),
    observe('slow', () => {
      asked.slow += 1
      return new Promise((resolve) => (finish = resolve))
    }),
  ]
  await vi.waitFor(() => expect(queries.getQueryData(['early'])).toBe(1))

  const session = new LiveSession(queries, 'ada/digits')
  FakeEventSource.last.open()
  await vi.waitFor(() => expect(queries.getQueryData(['early'])).toBe(2))
  finish(7)
  await vi.waitFor(() => expect(queries.getQueryData(['slow'])).toBe(7))
  expect(asked).toEqual({ early: 2, slow: 1 })

  session.close()
  for (const end of ends) end()
})
