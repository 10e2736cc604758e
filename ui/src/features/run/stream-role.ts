import type { Stream } from '~/api/types'

/** What a process did when it came to its run: several with labels share one, one is forked from another, one goes on. */
export function streamRole(streams: readonly Stream[], stream: Stream): string {
  if (stream.label !== null) return 'joined'
  const parent = streams.find(({ id }) => id === stream.parent)
  if (parent !== undefined) {
    return parent.process_id === null ? 'forked process' : `forked from pid ${parent.process_id}`
  }
  // Streams come oldest first; processes that share a run or were forked do not go on with it.
  const before = streams
    .slice(0, streams.indexOf(stream))
    .some(({ label, parent: of }) => label === null && of === null)
  return before ? 'resumed' : 'began the run'
}
