import { TriangleAlert } from 'lucide-react'
import type { Stream } from '~/api/types'
import { streamRole } from '~/features/run/stream-role'
import { useNow } from '~/hooks/use-now'
import { formatBytes, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { Panel } from '~/ui/panel'
import styles from './journal-health.module.css'

/** The journals that feed the run: how much of them is safe here, and what is wrong with them. */
export function JournalHealth({ streams }: { streams: readonly Stream[] }) {
  const damaged = streams.filter(({ damage }) => damage !== null).length
  return (
    <Panel
      title="Journals"
      aside={
        damaged > 0 ? (
          <span className={styles.bad}>{plural(damaged, 'journal')} damaged</span>
        ) : (
          streams.length > 0 && <span className={styles.good}>all healthy</span>
        )
      }
    >
      {streams.length === 0 && <p className={styles.empty}>No process has sent anything for this run.</p>}
      <ul className={styles.list}>
        {streams.map((stream) => (
          <StreamLine key={stream.id} stream={stream} role={streamRole(streams, stream)} />
        ))}
      </ul>
    </Panel>
  )
}

function StreamLine({ stream, role }: { stream: Stream; role: string }) {
  const now = useNow()
  const share = stream.durable_offset === 0 ? 1 : stream.sealed_offset / stream.durable_offset
  const writer = [stream.host, stream.process_id === null ? null : `pid ${stream.process_id}`]
    .filter(Boolean)
    .join(' · ')
  return (
    <li className={styles.stream}>
      <div className={styles.head}>
        {stream.label !== null && <span className={styles.label}>{stream.label}</span>}
        <strong>{writer || 'unknown writer'}</strong>
        <code className={styles.id} title={stream.id}>
          {stream.id.slice(0, 8)}
        </code>
        <span className={styles.seen} title={formatDateTime(stream.updated_at)}>
          {stream.finished ? 'ended' : 'last seen'} {formatRelative(stream.updated_at, now)}
        </span>
      </div>
      <div
        className={styles.bar}
        role="img"
        aria-label={`${formatBytes(stream.sealed_offset)} of ${formatBytes(stream.durable_offset)} compressed`}
      >
        <div className={styles.sealed} style={{ width: `${share * 100}%` }} />
      </div>
      <div className={styles.facts}>
        <span title={formatDateTime(stream.started_at)}>
          {role} {formatRelative(stream.started_at, now)}
        </span>
        <span>{formatBytes(stream.durable_offset)} durable</span>
        <span>{formatBytes(stream.sealed_offset)} compressed</span>
        <span>{plural(stream.record_count, 'record')}</span>
      </div>
      {stream.damage !== null && (
        <div className={styles.damage} role="alert">
          <TriangleAlert size={15} />
          <span>{stream.damage}</span>
        </div>
      )}
    </li>
  )
}
