import { expect, test } from 'vitest'
import type { RunChange } from '~/api/types'
import { addArtifactsEvent, addEvent, addResync, NOTHING_PENDING, outdated } from '~/features/live/live-reducer'

const change = (path: string, parts: Partial<RunChange>): RunChange => ({
  path,
  state: 'running',
  last_step: 1,
  updated_at: 1,
  rows: false,
  keys: false,
  alerts: false,
  files: false,
  console: false,
  system: false,
  details: false,
  deleted: false,
  ...parts,
})

test('the last values of a run win, and what must be read again adds up', () => {
  const first = addEvent(NOTHING_PENDING, {
    runs: [
      change('a/p/1', { rows: true, files: true, alerts: true, console: true }),
      change('a/p/2', { keys: true, system: true }),
    ],
  })
  const second = addEvent(first, { runs: [change('a/p/1', { state: 'finished', last_step: 9, details: true })] })
  expect([...second.changes.values()]).toEqual([
    change('a/p/1', {
      state: 'finished',
      last_step: 9,
      rows: true,
      files: true,
      alerts: true,
      console: true,
      details: true,
    }),
    change('a/p/2', { keys: true, system: true }),
  ])
  expect(outdated(second)).toEqual({
    rows: new Set(['a/p/1']),
    keys: new Set(['a/p/2']),
    files: new Set(['a/p/1']),
    alerts: new Set(['a/p/1']),
    console: new Set(['a/p/1']),
    system: new Set(['a/p/2']),
    details: new Set(['a/p/1']),
  })
  expect(NOTHING_PENDING.changes.size).toBe(0)
})

test('a deleted run only changes lists', () => {
  const pending = addEvent(NOTHING_PENDING, { runs: [change('a/p/1', { rows: true, keys: true, deleted: true })] })
  expect(outdated(pending)).toEqual({
    rows: new Set(),
    keys: new Set(),
    files: new Set(),
    alerts: new Set(),
    console: new Set(),
    system: new Set(),
    details: new Set(['a/p/1']),
  })
})

test('resync is remembered', () => {
  expect(addEvent(addResync(NOTHING_PENDING), { runs: [] }).resync).toBe(true)
})

test('projects whose artifacts changed are remembered once each, beside what runs did', () => {
  const artifact = (project: string, collection: string) => ({ entity: 'a', project, collection, deleted: false })
  const first = addArtifactsEvent(addEvent(NOTHING_PENDING, { runs: [change('a/p/1', {})] }), {
    collections: [artifact('p', 'x'), artifact('p', 'y')],
  })
  const second = addArtifactsEvent(first, { collections: [artifact('q', 'x'), artifact('p', 'x')] })
  expect([...second.artifacts]).toEqual(['a/p', 'a/q'])
  expect([...second.changes.keys()]).toEqual(['a/p/1'])
  expect(NOTHING_PENDING.artifacts.size).toBe(0)
})
