/** How many colours aliases have. */
export const ALIAS_COLORS = 12
/** With this one, the names that teams give their stages have a colour each. */
const SEED = 16_752

/** The same alias has the same colour wherever it stands; `latest` moves by itself and has none. */
export function aliasColor(alias: string): number | null {
  if (alias === 'latest') return null
  let hash = SEED
  for (let index = 0; index < alias.length; index += 1) hash = Math.imul(hash ^ alias.charCodeAt(index), 0x01000193)
  // FNV's low bits alone are poor for short texts.
  hash ^= hash >>> 15
  return (hash >>> 0) % ALIAS_COLORS
}
