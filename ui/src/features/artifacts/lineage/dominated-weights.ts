/**
 * For each vertex the weights of all that is reached from `start` only through it, itself included; 0 for what is not reached
 * at all. Immediate dominators as Cooper, Harvey and Kennedy find them.
 */
export function dominatedWeights(
  next: readonly (readonly number[])[],
  start: number,
  weights: readonly number[],
): Float64Array {
  const sums = new Float64Array(next.length)
  if (next.length === 0) return sums
  const order = reversePostorder(next, start)
  const rank = new Int32Array(next.length).fill(-1)
  for (const [place, vertex] of order.entries()) rank[vertex] = place
  const before: number[][] = order.map(() => [])
  for (const [place, vertex] of order.entries()) for (const other of next[vertex]) before[rank[other]].push(place)

  // From here on vertices are named by their place in the order: the nearer to the start, the smaller.
  const dominator = new Int32Array(order.length).fill(-1)
  dominator[0] = 0
  const meet = (left: number, right: number) => {
    let [a, b] = [left, right]
    while (a !== b) {
      if (a > b) a = dominator[a]
      else b = dominator[b]
    }
    return a
  }
  for (let changed = true; changed; ) {
    changed = false
    for (let place = 1; place < order.length; place += 1) {
      const known = before[place].filter((other) => dominator[other] >= 0)
      const found = known.reduce(meet)
      if (dominator[place] === found) continue
      dominator[place] = found
      changed = true
    }
  }
  for (let place = order.length - 1; place >= 0; place -= 1) {
    sums[order[place]] += weights[order[place]]
    if (place > 0) sums[order[dominator[place]]] += sums[order[place]]
  }
  return sums
}

function reversePostorder(next: readonly (readonly number[])[], start: number): number[] {
  const seen = new Uint8Array(next.length)
  const postorder: number[] = []
  const way: [vertex: number, done: number][] = [[start, 0]]
  seen[start] = 1
  for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
    const [vertex, done] = top
    if (done === next[vertex].length) {
      postorder.push(vertex)
      way.pop()
      continue
    }
    top[1] += 1
    const other = next[vertex][done]
    if (seen[other] === 1) continue
    seen[other] = 1
    way.push([other, 0])
  }
  return postorder.reverse()
}
