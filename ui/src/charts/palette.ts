/**
 * Colours of runs: pairs for the light and the dark theme. The first ones are told apart most easily, and neighbours differ
 * in lightness as well as in hue, for people who see few hues.
 */
const PALETTE: readonly [light: string, dark: string][] = [
  ['#3b6fe0', '#6c9bff'],
  ['#d9730d', '#ffa14a'],
  ['#12866b', '#35d0a5'],
  ['#c2378f', '#f57fc8'],
  ['#7a5af0', '#a993ff'],
  ['#a38108', '#e8c840'],
  ['#0a8fb5', '#4fd0f2'],
  ['#c93a3a', '#ff7b72'],
  ['#5a7d1a', '#a8d653'],
  ['#8a4b2a', '#d8a07c'],
  ['#27519c', '#9fbdf5'],
  ['#9b2fae', '#dd8af0'],
  ['#0b6b4f', '#7fe3c0'],
  ['#e0527a', '#ff9db5'],
  ['#5b6577', '#aab4c4'],
  ['#b8560b', '#ffc28a'],
  ['#3a3fa8', '#8f96ff'],
  ['#2f8f3a', '#6fdc7c'],
  ['#8c2f5c', '#e39cbf'],
  ['#007a86', '#5be0e0'],
]

export const PALETTE_SIZE = PALETTE.length
/** Four runs get the first four colours, which differ most; eight the first eight; only more get the others. */
const TIERS: readonly [start: number, end: number][] = [
  [0, 4],
  [4, 8],
  [8, PALETTE_SIZE],
]

export function paletteColor(slot: number, dark: boolean): string {
  const pair = PALETTE[((slot % PALETTE_SIZE) + PALETTE_SIZE) % PALETTE_SIZE]
  return dark ? pair[1] : pair[0]
}

/** The slot a run likes best, one of the first: the same everywhere and always. */
export function preferredSlot(id: string): number {
  return hashOf(id) % TIERS[0][1]
}

function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}

/**
 * Gives each of `ids` a slot: the chosen one, else the one it had before, else its preferred one, or, where that is taken
 * by more runs than another, the next one that is taken least, the first colours before the others. Ids come oldest first,
 * so a new run never recolours an old one.
 */
export function assignSlots(
  ids: readonly string[],
  chosen: Readonly<Record<string, number>>,
  before: ReadonlyMap<string, number>,
): Map<string, number> {
  const uses = new Array<number>(PALETTE_SIZE).fill(0)
  const slots = new Map<string, number>()
  const take = (id: string, slot: number) => {
    slots.set(id, slot)
    uses[slot % PALETTE_SIZE] += 1
  }
  for (const id of ids) {
    const slot = chosen[id] ?? before.get(id)
    if (slot !== undefined) take(id, slot)
  }
  for (const id of ids) {
    if (slots.has(id)) continue
    const least = Math.min(...uses)
    const tier = TIERS.find(([start, end]) => uses.slice(start, end).includes(least)) ?? TIERS[0]
    const [start, size] = [tier[0], tier[1] - tier[0]]
    let step = hashOf(id) % size
    while (uses[start + step] > least) step = (step + 1) % size
    take(id, start + step)
  }
  return slots
}
