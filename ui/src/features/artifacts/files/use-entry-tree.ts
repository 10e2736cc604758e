import { type UseQueryResult, useQueries } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { Artifact, ArtifactEntry, ArtifactEntryList, ArtifactFolder } from '~/api/types'
import { folderQuery } from '~/features/artifacts/files/entry-queries'
import { type EntryRow, entryRows, type FolderContent, foldersOf } from '~/features/artifacts/files/entry-rows'

/** The pages that were asked for, by folder: a cursor each. */
type Asked = ReadonlyMap<string, readonly (string | null)[]>

/** What is known of a folder, and where its next page begins. */
interface Reading extends FolderContent {
  folders: ArtifactFolder[]
  entries: ArtifactEntry[]
  next: string | null
}

export interface EntryTree {
  rows: readonly EntryRow[]
  toggle: (folder: string) => void
  /** Reads the next page of a folder, if that is not under way. */
  readOn: (folder: string) => void
  retry: () => void
}

/** The folders of a version as they are opened; those that `chosen` is in are open from the start. */
export function useEntryTree(artifact: Artifact, chosen: string | null): EntryTree {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(chosen === null ? [] : foldersOf(chosen)))
  const [asked, setAsked] = useState<Asked>(() => new Map(['', ...open].map((folder) => [folder, [null]])))
  const pages = useMemo(
    () => [...asked].flatMap(([folder, cursors]) => cursors.map((cursor) => ({ folder, cursor }))),
    [asked],
  )
  const combine = useCallback(
    (results: UseQueryResult<ArtifactEntryList>[]) => ({
      readings: readingsOf(
        pages.map(({ folder }) => folder),
        results,
      ),
      retry: () => {
        for (const result of results) if (result.isError) void result.refetch()
      },
    }),
    [pages],
  )
  const { readings, retry } = useQueries({
    queries: pages.map(({ folder, cursor }) => folderQuery(artifact, folder, cursor)),
    combine,
  })
  const rows = useMemo(
    () =>
      entryRows(
        (folder) => readings.get(folder),
        (folder) => open.has(folder),
      ),
    [readings, open],
  )
  const latest = useRef(readings)
  latest.current = readings
  const readOn = useCallback((folder: string) => {
    const cursor = latest.current.get(folder)?.next
    if (cursor === undefined || cursor === null) return
    setAsked((before) => {
      const cursors = before.get(folder) ?? []
      return cursors.includes(cursor) ? before : new Map(before).set(folder, [...cursors, cursor])
    })
  }, [])
  const toggle = (folder: string) => {
    const opened = new Set(open)
    if (!opened.delete(folder)) opened.add(folder)
    setOpen(opened)
    setAsked((before) => (before.has(folder) ? before : new Map(before).set(folder, [null])))
  }
  return { rows, toggle, readOn, retry }
}

/** What the pages of folders, in the order in which they were asked for, say of each folder. */
function readingsOf(
  folders: readonly string[],
  results: readonly Pick<UseQueryResult<ArtifactEntryList>, 'data' | 'error'>[],
): Map<string, Reading> {
  const readings = new Map<string, Reading>()
  for (const [index, folder] of folders.entries()) {
    const { data, error } = results[index]
    const known = readings.get(folder)
    if (data === undefined && error === null) {
      // The next page is on its way: what is there is not all.
      if (known !== undefined) known.complete = false
      continue
    }
    const reading = known ?? { folders: [], entries: [], pages: 0, complete: false, error: null, next: null }
    for (const each of data?.folders ?? []) reading.folders.push(each)
    for (const each of data?.entries ?? []) reading.entries.push(each)
    reading.pages += 1
    reading.next = data?.next_cursor ?? null
    reading.complete = data !== undefined && reading.next === null
    reading.error = error
    readings.set(folder, reading)
  }
  return readings
}
