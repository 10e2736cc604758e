/**
 * The last answer of `compute` for each object, as long as `key` is the same. Runs that are over keep their columns while
 * others grow beside them, so what is computed of them for one drawing holds for the next.
 */
export function rememberLast<K extends object, T>(): (of: K, key: string, compute: () => T) => T {
  const known = new WeakMap<K, { key: string; value: T }>()
  return (of, key, compute) => {
    const last = known.get(of)
    if (last !== undefined && last.key === key) return last.value
    const value = compute()
    known.set(of, { key, value })
    return value
  }
}
