import { useQueries } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { Artifact } from '~/api/types'
import { folderQuery } from '~/features/artifacts/files/entry-queries'
import { type EntryRow, entryRows, type FolderContent, foldersOf } from '~/features/artifacts/files/entry-rows'

/** The pages that were asked for, by folder: a cursor each. */
type Asked = ReadonlyMap<string, readonly (string | null)[]>

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
  const results = useQueries({ queries: pages.map(({ folder, cursor }) => folderQuery(artifact, folder, cursor)) })
  const contents = new Map<string, FolderContent>()
  const next = new Map<string, string | null>()
  pages.forEach(({ folder }, index) => {
    const { data, error } = results[index]
    const before = contents.get(folder)
    if (data === undefined && error === null) {
      // The next page is on its way: what is there is not all.
      if (before !== undefined) contents.set(folder, { ...before, complete: false })
      return
    }
    contents.set(folder, {
      folders: [...(before?.folders ?? []), ...(data?.folders ?? [])],
      entries: [...(before?.entries ?? []), ...(data?.entries ?? [])],
      pages: (before?.pages ?? 0) + 1,
      complete: data !== undefined && data.next_cursor === null,
      error,
    })
    next.set(folder, data?.next_cursor ?? null)
  })
  const latest = useRef(next)
  latest.current = next
  const readOn = useCallback((folder: string) => {
    const cursor = latest.current.get(folder)
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
  return {
    rows: entryRows(
      (folder) => contents.get(folder),
      (folder) => open.has(folder),
    ),
    toggle,
    readOn,
    retry: () => {
      for (const result of results) if (result.isError) void result.refetch()
    },
  }
}
