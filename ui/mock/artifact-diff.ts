import type { Artifact, ArtifactDiff, ArtifactEntry, DiffEntry } from '../src/api/types.ts'
import type { MockFile } from './artifact-files.ts'

/** What is not the same in two versions, a page of it, as the server says it. */
export function diffOf(
  [before, beforeFiles]: [Artifact, readonly MockFile[]],
  [after, afterFiles]: [Artifact, readonly MockFile[]],
  [start, limit]: [number, number],
): ArtifactDiff {
  const old = new Map(beforeFiles.map((file) => [file.path, file]))
  const now = new Map(afterFiles.map((file) => [file.path, file]))
  const entries: DiffEntry[] = []
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [was, is] = [old.get(path), now.get(path)]
    if (was !== undefined && is !== undefined && was.digest === is.digest) continue
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    entries.push({ path, change, before: entryOf(was), after: entryOf(is) })
  }
  const count = (change: DiffEntry['change']) => entries.filter((entry) => entry.change === change).length
  const next = start + limit
  return {
    before,
    after,
    added_count: count('added'),
    removed_count: count('removed'),
    changed_count: count('changed'),
    unchanged_count: now.size - count('added') - count('changed'),
    entries: entries.slice(start, next),
    next_cursor: next < entries.length ? String(next) : null,
  }
}

function entryOf(file: MockFile | undefined): ArtifactEntry | null {
  if (file === undefined) return null
  const { content: _, ...entry } = file
  return entry
}
