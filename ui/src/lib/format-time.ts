/** Times and durations. All arguments are Unix seconds or seconds, as everywhere in the API. */

/** `8s`, `4m 10s`, `2h 5m`, `3d 4h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–'
  const sign = seconds < 0 ? '\u2212' : ''
  const total = Math.abs(seconds)
  if (total < 1) return total === 0 ? '0s' : `${sign}${Math.max(1, Math.round(total * 1000))}ms`
  if (total < 10) return `${sign}${Number(total.toFixed(1))}s`
  const whole = Math.round(total)
  if (whole < 60) return `${sign}${whole}s`
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => whole >= size)
  const [size, name] = units[first]
  const head = Math.floor(whole / size)
  const [nextSize, nextName] = units[first + 1] ?? [1, 's']
  const tail = Math.floor((whole % size) / nextSize)
  return tail === 0 || first === 3 ? `${sign}${head}${name}` : `${sign}${head}${name} ${tail}${nextName}`
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`, then the date. */
export function formatRelative(time: number, now: number): string {
  const age = now - time
  if (age < 10) return 'just now'
  if (age < 60) return `${Math.floor(age)} s ago`
  if (age < 3_600) return `${Math.floor(age / 60)} min ago`
  if (age < 86_400) return `${Math.floor(age / 3_600)} h ago`
  const days = Math.floor(age / 86_400)
  if (days < 30) return days === 1 ? 'yesterday' : `${days} days ago`
  return formatDate(time)
}

/** `2026-11-23`, in the reader's time zone. */
export function formatDate(time: number): string {
  const date = new Date(time * 1000)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** `2026-11-23 18:47:01`, in the reader's time zone. */
export function formatDateTime(time: number): string {
  const date = new Date(time * 1000)
  return `${formatDate(time)} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

const DAY_AND_MONTH = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })

/** `18:47` today, `Nov 23, 18:47` on other days, in the reader's time zone. */
export function formatClock(time: number, now: number): string {
  const date = new Date(time * 1000)
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}`
  return formatDate(time) === formatDate(now) ? clock : `${DAY_AND_MONTH.format(date)}, ${clock}`
}

/** Age in little room: `12s`, `5m`, `3h`, `2d`, `8w`. */
export function formatAge(time: number, now: number): string {
  const age = Math.max(0, now - time)
  if (age < 60) return `${Math.floor(age)}s`
  if (age < 3_600) return `${Math.floor(age / 60)}m`
  if (age < 86_400) return `${Math.floor(age / 3_600)}h`
  if (age < 86_400 * 14) return `${Math.floor(age / 86_400)}d`
  if (age < 86_400 * 365) return `${Math.floor(age / 604_800)}w`
  return `${Math.floor(age / (86_400 * 365))}y`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
