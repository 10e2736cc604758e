import { reach } from '~/features/artifacts/lineage/reach'

export type Lists = readonly (readonly number[])[]

/**
 * The arrows over which one gets from the first node to the others: to what came of it only onwards, to what it came from
 * only back, and from there to whatever else hangs on these. Without this rule nearly everything could be reached over what it
 * led to, and nothing could be put away.
 */
export function waysFromFirst(up: Lists, down: Lists): { up: number[][]; down: number[][] } {
  const origins = up.length === 0 ? new Set<number>() : reach(up, 0).add(0)
  const results = down.length === 0 ? new Set<number>() : reach(down, 0).add(0)
  const lead = (lists: Lists, along: ReadonlySet<number>, against: ReadonlySet<number>) =>
    lists.map((next, from) => next.filter((to) => (along.has(to) ? along.has(from) : !against.has(to))))
  return { up: lead(up, origins, results), down: lead(down, results, origins) }
}
