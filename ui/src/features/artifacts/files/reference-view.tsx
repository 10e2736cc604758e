import { ExternalLink } from 'lucide-react'
import type { ArtifactEntry } from '~/api/types'
import styles from '~/features/files/file-preview.module.css'
import { Facts } from '~/features/run/facts'
import { formatBytes } from '~/lib/format-number'
import { webLink } from '~/lib/web-link'
import { CopyButton } from '~/ui/copy-button'
import { PlainText } from '~/ui/plain-text'
import ownStyles from './reference-view.module.css'

/** Where the bytes of a reference are, and what was known of them when it was made. */
export function ReferenceView({ entry }: { entry: ArtifactEntry }) {
  const uri = entry.reference ?? ''
  const link = webLink(uri)
  const extra = Object.entries(entry.extra).map(
    ([name, value]) => [name.replaceAll('_', ' '), typeof value === 'string' ? value : JSON.stringify(value)] as const,
  )
  return (
    <div className={styles.body}>
      <p className={ownStyles.text}>
        The bytes stay where they are; a download fetches them from there and notices when they changed.
      </p>
      <div className={ownStyles.uri}>
        <code>
          <PlainText text={uri} />
        </code>
        <CopyButton text={uri} label="Copy URI" />
        {link !== null && (
          <a href={link} target="_blank" rel="noopener noreferrer nofollow" aria-label="Open the address">
            <ExternalLink size={14} />
          </a>
        )}
      </div>
      <div className={ownStyles.facts}>
        <Facts
          facts={[
            ['Size', entry.size_bytes === null ? 'not known' : formatBytes(entry.size_bytes)],
            [
              'Digest',
              entry.digest === uri ? 'not known: changes are not noticed' : <code key="digest">{entry.digest}</code>,
            ],
            ...extra,
          ]}
        />
      </div>
    </div>
  )
}
