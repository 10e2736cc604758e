import { expect, test } from 'vitest'
import { patchRunsData } from '~/features/live/patch-runs'
import { MockData } from '../../../mock/data'

const data = new MockData(1_800_000_000, [{ name: 'p', runs: 2, running: 1, length: 10 }])
const runs = (data.runs.get('p') ?? []).map(({ run }) => run)
const list = { runs, groups: [], total: 2, next_cursor: null }

test('only the changed run is new, and nothing is when nothing changed', () => {
  const path = `ada/p/${runs[0].id}`
  const nothing = {
    keys: false,
    alerts: false,
    files: false,
    console: false,
    system: false,
    details: false,
    deleted: false,
  }
  const event = { path, rows: true, ...nothing }
  const changes = new Map([[path, { ...event, state: 'finished' as const, last_step: 50, updated_at: 1_800_000_100 }]])
  const patched = patchRunsData({ pages: [list], pageParams: [null] }, changes)
  expect(patched).toEqual({
    pages: [{ ...list, runs: [{ ...runs[0], state: 'finished', last_step: 50, updated_at: 1_800_000_100 }, runs[1]] }],
    pageParams: [null],
  })
  expect(patchRunsData(list, new Map())).toBe(list)
})
