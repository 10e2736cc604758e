/** localStorage that never throws: it can be blocked or full, and nothing kept there is worth an error. */
export function readStored<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`steplog.${key}`)
    return text === null ? fallback : (JSON.parse(text) as T)
  } catch {
    return fallback
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(`steplog.${key}`, JSON.stringify(value))
  } catch {
    // A preference that does not last is no reason to fail.
  }
}
