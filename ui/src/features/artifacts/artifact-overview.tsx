import type { Artifact } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { ArtifactFacts } from '~/features/artifacts/artifact-facts'
import { RunsCard } from '~/features/artifacts/runs-card'
import { UsageCard } from '~/features/artifacts/usage-card'
import { useUpdateArtifact } from '~/features/artifacts/use-artifact-changes'
import { MarkdownPanel } from '~/features/markdown/markdown-panel'
import { ValueTree } from '~/features/run/value-tree'
import styles from './artifact-overview.module.css'

/** What a version is, where it comes from and how to get it. */
export function ArtifactOverview({ artifact }: { artifact: Artifact }) {
  const update = useUpdateArtifact(artifact)
  const mayWrite = useMayWrite(artifact.entity)
  return (
    <div className={styles.scroller}>
      <div className={styles.columns}>
        <div className={styles.column}>
          <MarkdownPanel
            title="Description"
            noun="description"
            text={artifact.description ?? ''}
            empty="What is in this version? Markdown and $\LaTeX$ are understood."
            saving={update.isPending}
            onSave={mayWrite ? (description, done) => update.mutate({ description }, { onSuccess: done }) : undefined}
          />
          <UsageCard artifact={artifact} />
          <ValueTree title="Metadata" values={artifact.metadata} empty="Nothing was said about it." />
        </div>
        <div className={styles.column}>
          <ArtifactFacts artifact={artifact} />
          <RunsCard artifact={artifact} />
        </div>
      </div>
    </div>
  )
}
