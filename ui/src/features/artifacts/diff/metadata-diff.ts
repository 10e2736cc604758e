import type { DiffChange, JsonObject, JsonValue } from '~/api/types'
import { compareNaturally } from '~/features/metrics/sections'

export interface MetadataChange {
  /** Names from the root, joined by dots. */
  path: string
  change: DiffChange
  before: JsonValue | undefined
  after: JsonValue | undefined
}

/** The values that are not the same in two objects, by path. Lists are compared as a whole. */
export function metadataDiff(before: JsonObject, after: JsonObject): MetadataChange[] {
  const [old, now] = [leavesOf(before), leavesOf(after)]
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort(compareNaturally)
  return paths.flatMap((path): MetadataChange[] => {
    const [was, is] = [old.get(path), now.get(path)]
    if (was !== undefined && is !== undefined && JSON.stringify(was) === JSON.stringify(is)) return []
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    return [{ path, change, before: was, after: is }]
  })
}

function leavesOf(object: JsonObject, prefix = '', leaves = new Map<string, JsonValue>()): Map<string, JsonValue> {
  for (const [name, value] of Object.entries(object)) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const isBranch =
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
    if (isBranch) leavesOf(value, path, leaves)
    else leaves.set(path, value)
  }
  return leaves
}
