import type { ConsoleProcess } from '~/api/types'

/** What each process of a run is called: its label, else its host and number; the host only where there are several. */
export function processNames(processes: readonly ConsoleProcess[]): string[] {
  const hosts = new Set(processes.map(({ host }) => host))
  return processes.map(({ stream, label, host, process_id, is_fork }) => {
    if (label !== null) return label
    const parts = [
      hosts.size > 1 && host !== null ? host : null,
      process_id === null ? null : `${is_fork ? 'fork' : 'pid'} ${process_id}`,
    ].filter((part) => part !== null)
    return parts.length === 0 ? stream.slice(0, 8) : parts.join(' · ')
  })
}
