/** A key as people wrote it: within a key a `.` that is part of a name, not of a path, has a backslash before it. */
export function keyLabel(key: string): string {
  return key.replace(/\\(.)/gs, '$1')
}
