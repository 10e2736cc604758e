import { expect, test } from 'vitest'
import type { Stream } from '~/api/types'
import { streamRole } from '~/features/run/stream-role'

const stream = (id: string, parts: Partial<Stream> = {}): Stream => ({
  id,
  durable_offset: 1,
  sealed_offset: 1,
  record_count: 1,
  started_at: 1,
  updated_at: 1,
  finished: true,
  host: 'box',
  process_id: 7,
  label: null,
  parent: null,
  damage: null,
  ...parts,
})
const roles = (streams: Stream[]) => streams.map((each) => streamRole(streams, each))

test('who came later and is nobody of the first went on with the run', () => {
  expect(roles([stream('a'), stream('b', { parent: 'a' }), stream('c')])).toEqual([
    'began the run',
    'forked from pid 7',
    'resumed',
  ])
})

test('processes with labels share the run', () => {
  expect(roles([stream('a', { label: 'rank 0' }), stream('b', { label: 'rank 1' })])).toEqual(['joined', 'joined'])
})
