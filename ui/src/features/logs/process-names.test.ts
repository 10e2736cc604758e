import { expect, test } from 'vitest'
import type { ConsoleProcess } from '~/api/types'
import { processNames } from '~/features/logs/process-names'

const process = (part: Partial<ConsoleProcess>): ConsoleProcess => ({
  stream: 'aa01bb02cc03',
  label: null,
  host: 'gpu-1',
  process_id: 12,
  is_fork: false,
  line_count: 1,
  ...part,
})

test('processes are called what tells them apart', () => {
  expect(processNames([process({}), process({ process_id: 13, is_fork: true })])).toEqual(['pid 12', 'fork 13'])
  expect(processNames([process({ label: 'rank-0' }), process({ host: 'gpu-2' })])).toEqual(['rank-0', 'gpu-2 · pid 12'])
  expect(processNames([process({ host: null, process_id: null })])).toEqual(['aa01bb02'])
})
