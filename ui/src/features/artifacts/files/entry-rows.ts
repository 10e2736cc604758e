import type { ArtifactEntry, ArtifactFolder } from '~/api/types'

/** A line of the tree. */
export type EntryRow =
  | { kind: 'folder'; path: string; name: string; depth: number; folder: ArtifactFolder; open: boolean }
  | { kind: 'file'; path: string; name: string; depth: number; entry: ArtifactEntry }
  /** More of a folder is there, and is read as soon as one gets to this line. */
  | { kind: 'more'; path: string; depth: number; pages: number }
  | { kind: 'error'; path: string; depth: number; error: Error }

/** What is known of a folder so far. */
export interface FolderContent {
  folders: readonly ArtifactFolder[]
  entries: readonly ArtifactEntry[]
  /** How many pages were read. */
  pages: number
  complete: boolean
  error: Error | null
}

/** The lines of a tree of which folders are read as they are opened: folders before files, in their natural order. */
export function entryRows(
  contentOf: (folder: string) => FolderContent | undefined,
  isOpen: (folder: string) => boolean,
): EntryRow[] {
  const rows: EntryRow[] = []
  const visit = (path: string, depth: number) => {
    const content = contentOf(path)
    if (content === undefined) {
      rows.push({ kind: 'more', path, depth, pages: 0 })
      return
    }
    for (const folder of [...content.folders].sort(byName)) {
      const open = isOpen(folder.path)
      rows.push({ kind: 'folder', path: folder.path, name: nameOf(folder.path), depth, folder, open })
      if (open) visit(folder.path, depth + 1)
    }
    // A page that comes later must not change the order of what is shown already: the server's order stays then.
    const entries = content.pages === 1 && content.complete ? [...content.entries].sort(byName) : content.entries
    for (const entry of entries) {
      rows.push({ kind: 'file', path: entry.path, name: nameOf(entry.path), depth, entry })
    }
    if (content.error !== null) rows.push({ kind: 'error', path, depth, error: content.error })
    else if (!content.complete) rows.push({ kind: 'more', path, depth, pages: content.pages })
  }
  visit('', 0)
  return rows
}

function byName(a: { path: string }, b: { path: string }): number {
  return COLLATOR.compare(a.path, b.path)
}

const COLLATOR = new Intl.Collator(undefined, { numeric: true })

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The folders that a path is in, outermost first. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
