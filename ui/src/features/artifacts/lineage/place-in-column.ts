/** Things that stand together, because each would like to be where the other is. */
interface Block {
  /** Sum of wishes times weights, each wish less what stands before it in the column. */
  sum: number
  weight: number
  count: number
}

/**
 * The middles of things in a column, in their order and `gap` apart, as near to what they wish as they can be together: the
 * least sum of squares, found by joining what overlaps (isotonic regression).
 */
export function placeInColumn(
  wished: readonly number[],
  heights: readonly number[],
  gap: number,
  weights: readonly number[],
): number[] {
  // With everything that must stand before a thing taken off, what is left only has to be in order.
  const offsets: number[] = []
  for (const [index, height] of heights.entries()) {
    offsets.push(index === 0 ? 0 : offsets[index - 1] + (heights[index - 1] + height) / 2 + gap)
  }
  const blocks: Block[] = []
  for (const [index, wish] of wished.entries()) {
    let block = { sum: (wish - offsets[index]) * weights[index], weight: weights[index], count: 1 }
    for (let last = blocks.at(-1); last !== undefined && meanOf(last) >= meanOf(block); last = blocks.at(-1)) {
      block = { sum: last.sum + block.sum, weight: last.weight + block.weight, count: last.count + block.count }
      blocks.pop()
    }
    blocks.push(block)
  }
  return blocks
    .flatMap((block) => new Array<number>(block.count).fill(meanOf(block)))
    .map((mean, index) => mean + offsets[index])
}

function meanOf({ sum, weight }: Block): number {
  return sum / weight
}
