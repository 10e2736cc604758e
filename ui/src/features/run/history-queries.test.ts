import { expect, test } from 'vitest'
import { appendRows, type HistoryPage, readLines } from '~/features/run/history-queries'

function streamOf(chunks: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk))
      controller.close()
    },
  })
}

test('lines are read across chunks, up to a limit', async () => {
  const chunks = ['{"a":1}\n{"a', '":2}\n', '{"a":3}\n']
  expect(await readLines(streamOf(chunks), 10)).toEqual({ rows: [{ a: 1 }, { a: 2 }, { a: 3 }], more: false })
  expect(await readLines(streamOf(chunks), 2)).toEqual({ rows: [{ a: 1 }, { a: 2 }], more: true })
  expect(await readLines(streamOf(['{"a":1}']), 1)).toEqual({ rows: [{ a: 1 }], more: false })
})

test('rows that came since join the last page, in place of a row that was not whole yet', () => {
  const page = (rows: HistoryPage['rows'], nextStep: number | null = null): HistoryPage => ({ rows, nextStep })
  const data = { pages: [page([{ _step: 0 }], 1), page([{ _step: 1 }, { _step: 2, a: 1 }])], pageParams: [null, 1] }
  expect(appendRows(data, page([{ _step: 2, a: 1, b: 2 }, { _step: 3 }], 4))).toEqual({
    pages: [page([{ _step: 0 }], 1), page([{ _step: 1 }, { _step: 2, a: 1, b: 2 }, { _step: 3 }], 4)],
    pageParams: [null, 1],
  })
  expect(appendRows(data, page([]))).toBe(data)
  expect(appendRows({ pages: [page([])], pageParams: [null] }, page([{ _step: 0 }]))).toEqual({
    pages: [page([{ _step: 0 }])],
    pageParams: [null],
  })
})
