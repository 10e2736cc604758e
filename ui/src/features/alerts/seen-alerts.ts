import { readStored, writeStored } from '~/lib/storage'
import { createStore, useStoreSelector } from '~/lib/store'

const KEY = 'alerts.seen'

/** By project, the highest id of an alert that somebody has seen in this browser. */
const seenStore = createStore<Readonly<Record<string, number>>>(readStored(KEY, {}))

export function useSeen(project: string): number {
  return useStoreSelector(seenStore, (seen) => seen[project] ?? 0)
}

export function markSeen(project: string, id: number): void {
  const seen = { ...readStored<Record<string, number>>(KEY, {}), ...seenStore.get() }
  if ((seen[project] ?? 0) >= id) return
  const next = { ...seen, [project]: id }
  seenStore.set(next)
  writeStored(KEY, next)
}
