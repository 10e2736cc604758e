import type { LineageGraph } from '~/features/artifacts/lineage/lineage-graph'

export interface LineageRow {
  node: number
  /** How many runs and versions away it is at least: negative for origins, positive for results, `null` for what is neither. */
  steps: number | null
}

/** All nodes, from the first origins over the version that was asked for to the last results; then what is neither. */
export function lineageRows({ nodes, up, down }: LineageGraph): LineageRow[] {
  const before = stepsFrom(up)
  const after = stepsFrom(down)
  const rows = nodes.map((_, node): LineageRow => {
    const [back, on] = [before.get(node), after.get(node)]
    if (back === undefined) return { node, steps: on ?? null }
    return { node, steps: on === undefined || back < on ? -back : on }
  })
  const rank = ({ steps }: LineageRow) => steps ?? Number.POSITIVE_INFINITY
  return rows.sort((a, b) => (rank(a) === rank(b) ? a.node - b.node : rank(a) - rank(b)))
}

function stepsFrom(next: readonly (readonly number[])[]): Map<number, number> {
  const steps = new Map(next.length === 0 ? [] : [[0, 0]])
  for (const [node, count] of steps) {
    for (const other of next[node]) if (!steps.has(other)) steps.set(other, count + 1)
  }
  return steps
}

/** `2 steps before`, `this version`, `1 step after`. */
export function stepsText(steps: number | null): string {
  if (steps === null) return 'beside'
  if (steps === 0) return 'this version'
  const count = Math.abs(steps)
  return `${count} step${count === 1 ? '' : 's'} ${steps < 0 ? 'before' : 'after'}`
}
