import { expect, test } from 'vitest'
import type { RunAlert } from '~/api/types'
import { countUnread, freshAlerts, newestId } from '~/features/alerts/fresh-alerts'

const alert = (id: number, time: number, repeated = false): RunAlert => ({
  id,
  time,
  level: 'WARN',
  title: 'loss is NaN',
  text: '',
  repeated,
  run: 'a',
  run_name: 'a',
  deliveries: [],
})

test('what came since is fresh, but not what happened long ago or was told already', () => {
  // Newest first by time; the last one is of a journal that was sent late.
  const alerts = [alert(12, 5_000, true), alert(11, 4_990), alert(10, 4_980), alert(7, 4_900), alert(13, 100)]
  expect(freshAlerts(alerts, 9, 5_000).map(({ id }) => id)).toEqual([10, 11])
  expect(freshAlerts(alerts, 13, 5_000)).toEqual([])
})

test('everything after the last one seen is unread, whenever it happened', () => {
  const alerts = [alert(11, 4_990), alert(7, 4_900), alert(13, 100)]
  expect([countUnread(alerts, 0), countUnread(alerts, 7), countUnread(alerts, 13)]).toEqual([3, 2, 0])
  expect([newestId(alerts), newestId([])]).toEqual([13, null])
})
