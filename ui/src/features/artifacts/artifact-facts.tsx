import type { Artifact } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { TIMES_TO_LIVE, timeToLiveLabel, timeToLiveText } from '~/features/artifacts/time-to-live'
import { qualifiedName } from '~/features/artifacts/usage-code'
import { useUpdateArtifact } from '~/features/artifacts/use-artifact-changes'
import { Facts } from '~/features/run/facts'
import { formatBytes, formatInteger } from '~/lib/format-number'
import { formatDateTime } from '~/lib/format-time'
import { Button } from '~/ui/button'
import { CopyButton } from '~/ui/copy-button'
import { Panel } from '~/ui/panel'
import { MenuItem, Popover } from '~/ui/popover'
import styles from './artifact-facts.module.css'

/** What is known of a version, a line each. */
export function ArtifactFacts({ artifact }: { artifact: Artifact }) {
  const name = qualifiedName(artifact)
  return (
    <Panel title="About">
      <Facts
        facts={[
          [
            'Name',
            <span key="name" className={styles.copied}>
              <code>{name}</code>
              <CopyButton text={name} label="Copy full name" className={styles.copy} />
            </span>,
          ],
          ['Type', artifact.type],
          ['Size', formatBytes(artifact.size_bytes)],
          ['Files', formatInteger(artifact.file_count)],
          ['Digest', <code key="digest">{artifact.digest}</code>],
          ['Made', formatDateTime(artifact.created_at)],
          ['Kept', <TimeToLive key="kept" artifact={artifact} />],
        ]}
      />
    </Panel>
  )
}

function TimeToLive({ artifact }: { artifact: Artifact }) {
  const update = useUpdateArtifact(artifact)
  const mayWrite = useMayWrite(artifact.entity)
  const text = timeToLiveText(artifact)
  if (!mayWrite) return text
  return (
    <span className={styles.kept}>
      {text}
      <Popover
        label="How long it is kept"
        role="menu"
        trigger={(props) => (
          <Button look="ghost" className={styles.change} aria-label="Change how long it is kept" {...props}>
            Change
          </Button>
        )}
      >
        {(close) =>
          TIMES_TO_LIVE.map((seconds) => (
            <MenuItem
              key={seconds}
              checked={(artifact.ttl_seconds ?? 0) === seconds}
              onClick={() => {
                close()
                update.mutate({ ttl_seconds: seconds })
              }}
            >
              {timeToLiveLabel(seconds)}
            </MenuItem>
          ))
        }
      </Popover>
    </span>
  )
}
