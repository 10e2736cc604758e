import type { DiffChange, DiffEntry } from '~/api/types'

export const CHANGES: readonly DiffChange[] = ['added', 'changed', 'removed']

/** The entries of the changes asked for whose path holds all words of a search, in any case. */
export function filterEntries(
  entries: readonly DiffEntry[],
  search: string,
  changes: ReadonlySet<DiffChange>,
): readonly DiffEntry[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0 && CHANGES.every((change) => changes.has(change))) return entries
  return entries.filter(({ path, change }) => {
    const text = path.toLowerCase()
    return changes.has(change) && words.every((word) => text.includes(word))
  })
}

/** Where what is new was before: paths of removed files by those of added ones with the same content. */
export function movesOf(entries: readonly DiffEntry[]): ReadonlyMap<string, string> {
  const removed = new Map<string, string[]>()
  for (const { path, change, before } of entries) {
    if (change !== 'removed' || before === null || before.sha256 === null) continue
    removed.set(before.sha256, [...(removed.get(before.sha256) ?? []), path])
  }
  const moves = new Map<string, string>()
  for (const { path, change, after } of entries) {
    if (change !== 'added' || after === null || after.sha256 === null) continue
    const from = removed.get(after.sha256)?.shift()
    if (from !== undefined) moves.set(path, from)
  }
  return moves
}

/** How many bytes more, or fewer, a path has; `null` when a size is not known. */
export function growthOf({ before, after }: DiffEntry): number | null {
  const [old, now] = [before, after].map((entry) => (entry === null ? 0 : entry.size_bytes))
  return old === null || now === null ? null : now - old
}

/** Shares of a whole such that what is there at all can be seen. */
export function visibleShares(counts: readonly number[], least = 0.01): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const shares = counts.map((count) => (count === 0 ? 0 : Math.max(least, count / total)))
  const sum = shares.reduce((all, share) => all + share, 0)
  return sum === 0 ? shares : shares.map((share) => share / sum)
}
