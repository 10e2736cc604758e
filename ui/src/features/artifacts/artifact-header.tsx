import { Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import type { Artifact } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { useNow } from '~/hooks/use-now'
import { formatBytes, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { CopyButton } from '~/ui/copy-button'
import { Tabs } from '~/ui/tabs'
import styles from './artifact-header.module.css'

export const ARTIFACT_TABS = [
  { value: 'overview', label: 'Overview' },
  { value: 'files', label: 'Files' },
  { value: 'lineage', label: 'Lineage' },
  { value: 'diff', label: 'Diff' },
] as const
export type ArtifactTab = (typeof ARTIFACT_TABS)[number]['value']

interface ArtifactHeaderProps {
  artifact: Artifact
  tab: ArtifactTab
  onTab: (tab: ArtifactTab) => void
}

/** What a version is called, what points at it, and the parts of its page. */
export function ArtifactHeader({ artifact, tab, onTab }: ArtifactHeaderProps) {
  const now = useNow()
  const { entity, project, collection, version } = artifact
  return (
    <header className={styles.header}>
      <div className={styles.top}>
        <Link
          to="/$entity/$project/artifacts/$collection"
          params={{ entity, project, collection }}
          className={styles.back}
          aria-label={`Back to ${collection}`}
          title={`Back to ${collection}`}
        >
          <ArrowLeft size={16} />
        </Link>
        <h1 className={styles.name}>
          {collection}
          <span className={styles.version}>:{version}</span>
        </h1>
        <AliasChips aliases={artifact.aliases} />
      </div>
      <div className={styles.facts}>
        <span>{artifact.type}</span>
        <span>
          {plural(artifact.file_count, 'file')} · {formatBytes(artifact.size_bytes)}
        </span>
        <span title={formatDateTime(artifact.created_at)}>{formatRelative(artifact.created_at, now)}</span>
        <span className={styles.digest}>
          <code title={artifact.digest}>{artifact.digest.slice(0, 12)}</code>
          <CopyButton text={artifact.digest} label="Copy digest" />
        </span>
      </div>
      <Tabs label="Artifact" value={tab} tabs={ARTIFACT_TABS} onChange={onTab} />
    </header>
  )
}
