/** A key as people wrote it: within a key a `.` that is part of a name, not of a path, has a backslash before it. */
export function keyLabel(key: string): string {
  return key.replace(/\\(.)/gs, '$1')
}

const SYSTEM_PREFIX = '_system/'

/** Whether a key is of what the client measured of its machine, and no metric that a script logged. */
export function isSystemKey(key: string): boolean {
  return key.startsWith(SYSTEM_PREFIX)
}
