import { expect, test } from 'vitest'
import { readLines } from '~/features/run/history-queries'

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
