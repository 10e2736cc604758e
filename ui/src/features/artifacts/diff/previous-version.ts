import type { Artifact } from '~/api/types'

/**
 * The version before another one, of those that are known; where none of these is, the one with the next lower number,
 * which may be gone. `null` for the first one.
 */
export function previousVersion(version: string, known: readonly Pick<Artifact, 'version'>[]): string | null {
  const number = numberOf(version)
  const before = known.map((each) => numberOf(each.version)).filter((each) => each < number)
  if (before.length > 0) return `v${before.reduce((a, b) => Math.max(a, b))}`
  const oldest = known.reduce((least, each) => Math.min(least, numberOf(each.version)), Number.POSITIVE_INFINITY)
  return number > 0 && number < oldest ? `v${number - 1}` : null
}

function numberOf(version: string): number {
  return Number(version.slice(1))
}
