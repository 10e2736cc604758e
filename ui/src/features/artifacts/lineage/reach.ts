/** All that can be reached from `start` over `next`, without `start` itself. */
export function reach(next: readonly (readonly number[])[], start: number): Set<number> {
  const found = new Set<number>()
  const open = [start]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const other of next[index]) {
      if (other === start || found.has(other)) continue
      found.add(other)
      open.push(other)
    }
  }
  return found
}
