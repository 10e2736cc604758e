import type { RunFile } from '~/api/types'

/** A line of the tree. */
export type FileRow =
  | { kind: 'folder'; path: string; name: string; depth: number; count: number; bytes: number }
  | { kind: 'file'; path: string; name: string; depth: number; file: RunFile }

interface Folder {
  folders: Map<string, Folder>
  files: { name: string; file: RunFile }[]
  count: number
  bytes: number
}

const emptyFolder = (): Folder => ({ folders: new Map(), files: [], count: 0, bytes: 0 })

/** The files as lines of a tree, folders before files; what is below a closed folder is left out. */
export function fileRows(files: readonly RunFile[], closed: ReadonlySet<string>): FileRow[] {
  const root = emptyFolder()
  for (const file of files) {
    const parts = file.path.split('/')
    const name = parts.pop() ?? file.path
    let folder = root
    for (const part of parts) {
      let next = folder.folders.get(part)
      if (next === undefined) {
        next = emptyFolder()
        folder.folders.set(part, next)
      }
      next.count += 1
      next.bytes += file.size_bytes
      folder = next
    }
    folder.files.push({ name, file })
  }
  const rows: FileRow[] = []
  addRows(root, '', 0, closed, rows)
  return rows
}

function addRows(folder: Folder, prefix: string, depth: number, closed: ReadonlySet<string>, rows: FileRow[]): void {
  for (const [name, inner] of [...folder.folders].sort(([a], [b]) =>
    a.localeCompare(b, undefined, { numeric: true }),
  )) {
    const path = prefix + name
    rows.push({ kind: 'folder', path, name, depth, count: inner.count, bytes: inner.bytes })
    if (!closed.has(path)) addRows(inner, `${path}/`, depth + 1, closed, rows)
  }
  for (const { name, file } of folder.files.sort((a, b) =>
    a.name.localeCompare(b.name, undefined, { numeric: true }),
  )) {
    rows.push({ kind: 'file', path: file.path, name, depth, file })
  }
}

/** The files whose path holds all words of a search, in any case. */
export function searchFiles(files: readonly RunFile[], search: string): readonly RunFile[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return files
  return files.filter(({ path }) => {
    const text = path.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

export type PreviewKind = 'image' | 'audio' | 'video' | 'json' | 'text' | 'none'

const TEXT_TYPES = ['application/jsonl', 'application/xml', 'model/gltf+json']

/** How a file of a media type can be shown. Pictures are shown as pictures, in which no script runs, and pages as their text. */
export function previewKind(type: string): PreviewKind {
  if (type === 'image/tiff') return 'none'
  for (const kind of ['image', 'audio', 'video'] as const) if (type.startsWith(`${kind}/`)) return kind
  if (type === 'application/json') return 'json'
  return type.startsWith('text/') || TEXT_TYPES.includes(type) ? 'text' : 'none'
}
