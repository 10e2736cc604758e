import { Link } from '@tanstack/react-router'
import { ArrowLeft, Library } from 'lucide-react'
import type { Artifact } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { ArtifactAliases } from '~/features/artifacts/artifact-aliases'
import { ArtifactMenu } from '~/features/artifacts/artifact-menu'
import { isLink } from '~/features/artifacts/is-link'
import { useUpdateArtifact } from '~/features/artifacts/use-artifact-changes'
import { useNow } from '~/hooks/use-now'
import { formatBytes, formatInteger, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { TagList } from '~/ui/chip-editor'
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

const SHORT_DIGEST = 12

interface ArtifactHeaderProps {
  artifact: Artifact
  tab: ArtifactTab
  onTab: (tab: ArtifactTab) => void
}

/** What a version is called, what points at it, and the parts of its page. */
export function ArtifactHeader({ artifact, tab, onTab }: ArtifactHeaderProps) {
  const now = useNow()
  const update = useUpdateArtifact(artifact)
  const mayWrite = useMayWrite(artifact.entity)
  const { entity, project, collection, version, digest, source } = artifact
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
        <h1 className={styles.name} title={`${collection}:${version}`}>
          {collection}
          <span className={styles.version}>:{version}</span>
        </h1>
        <span className={styles.type}>{artifact.type}</span>
        <span className={styles.space} />
        <ArtifactMenu artifact={artifact} />
      </div>
      <div className={styles.facts}>
        <ArtifactAliases artifact={artifact} />
        <span>
          {plural(artifact.file_count, 'file')} · {formatBytes(artifact.size_bytes)}
        </span>
        <span title={formatDateTime(artifact.created_at)}>{formatRelative(artifact.created_at, now)}</span>
        <span className={styles.digest}>
          <code title={digest}>{digest.slice(0, SHORT_DIGEST)}</code>
          <CopyButton text={digest} label="Copy digest" />
        </span>
        {isLink(artifact) && (
          <Link to="/$entity/$project/artifacts/$collection/$version" params={source} className={styles.source}>
            <Library size={12} /> linked from {source.project}/{source.collection}:{source.version}
          </Link>
        )}
        <TagList
          tags={artifact.tags}
          onAdd={mayWrite ? (tag) => update.mutate({ add_tags: [tag] }) : undefined}
          onRemove={mayWrite ? (tag) => update.mutate({ remove_tags: [tag] }) : undefined}
        />
      </div>
      <Tabs
        label="Artifact"
        value={tab}
        tabs={ARTIFACT_TABS.map((each) =>
          each.value === 'files' ? { ...each, count: formatInteger(artifact.file_count) } : each,
        )}
        onChange={onTab}
      />
    </header>
  )
}
