import { Link } from '@tanstack/react-router'
import { ArrowUpRight, Group, Ungroup, Workflow, X } from 'lucide-react'
import type { CSSProperties, ReactNode } from 'react'
import type { LineageArtifact, LineageRun } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { groupName } from '~/features/artifacts/lineage/describe-node'
import type { LineageColors } from '~/features/artifacts/lineage/lineage-colors'
import { type Direction, type LineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { NodeIcon, sideLabel } from '~/features/artifacts/lineage/node-card'
import { NodeLinks } from '~/features/artifacts/lineage/node-links'
import { kindKey, type VisibleNode } from '~/features/artifacts/lineage/visible-graph'
import { useNow } from '~/hooks/use-now'
import { formatBytes, plural } from '~/lib/format-number'
import { formatDateTime, formatRelative } from '~/lib/format-time'
import { projectPath } from '~/lib/path-builder'
import { Button, IconButton } from '~/ui/button'
import { StateBadge } from '~/ui/state-badge'
import styles from './node-details.module.css'

interface NodeDetailsProps {
  graph: LineageGraph
  node: VisibleNode
  colors: LineageColors
  onShow: (node: number) => void
  onOpenGroup: (id: string) => void
  /** `null`: it stands in no group. */
  onGroupAgain: (() => void) | null
  onToggleSide: (direction: Direction, id: string) => void
  onClose: () => void
}

/** What is known of a selected node, and where one can go from it. */
export function NodeDetails(props: NodeDetailsProps) {
  const { graph, node, colors, onShow, onOpenGroup, onGroupAgain, onToggleSide, onClose } = props
  const { members } = node
  const first = graph.nodes[members[0]]
  const isGroup = node.kind === 'group'
  const title = isGroup ? groupName(graph, members) : nameOf(first)
  return (
    <aside
      className={styles.pane}
      style={{ '--kind': colors.kinds.get(kindKey(first)) } as CSSProperties}
      aria-label={`Details of ${title}`}
    >
      <header className={styles.head}>
        <span className={styles.icon} data-of={first.kind}>
          <NodeIcon node={first} isGroup={isGroup} />
        </span>
        <h2 className={styles.title}>{title}</h2>
        <IconButton label="Close the details" onClick={onClose}>
          <X size={15} />
        </IconButton>
      </header>
      <div className={styles.body}>
        {!isGroup && first.kind === 'artifact' && <ArtifactFacts artifact={first.artifact} />}
        {!isGroup && first.kind === 'run' && <RunFacts run={first.run} />}
        <div className={styles.actions}>
          {isGroup && (
            <Button onClick={() => onOpenGroup(node.id)}>
              <Ungroup size={14} /> Show each
            </Button>
          )}
          {onGroupAgain !== null && (
            <Button onClick={onGroupAgain}>
              <Group size={14} /> Group again
            </Button>
          )}
          {(['up', 'down'] as const).map((direction) => {
            const side = node[direction]
            return side === null ? null : (
              <Button key={direction} onClick={() => onToggleSide(direction, node.id)}>
                {sideLabel(direction, side)}
              </Button>
            )
          })}
        </div>
        {isGroup ? (
          <NodeLinks title="In this group" graph={graph} nodes={members} onShow={onShow} />
        ) : (
          <>
            <NodeLinks
              title={first.kind === 'artifact' ? 'Made by' : 'Used'}
              graph={graph}
              nodes={graph.up[members[0]]}
              onShow={onShow}
            />
            <NodeLinks
              title={first.kind === 'artifact' ? 'Used by' : 'Made'}
              graph={graph}
              nodes={graph.down[members[0]]}
              onShow={onShow}
            />
          </>
        )}
      </div>
    </aside>
  )
}

function ArtifactFacts({ artifact }: { artifact: LineageArtifact }) {
  const { entity, project, collection, version, aliases, type, digest, file_count, size_bytes, created_at } = artifact
  const now = useNow()
  const params = { entity, project, collection, version }
  return (
    <>
      <div className={styles.links}>
        <Link to="/$entity/$project/artifacts/$collection/$version" params={params} className={styles.open}>
          Open the version <ArrowUpRight size={14} />
        </Link>
        <Link
          to="/$entity/$project/artifacts/$collection/$version"
          params={params}
          search={{ tab: 'lineage' }}
          className={styles.open}
        >
          Its lineage <Workflow size={13} />
        </Link>
      </div>
      {aliases.length > 0 && <AliasChips aliases={aliases} />}
      <dl className={styles.facts}>
        <Fact name="Type">{type}</Fact>
        <Fact name="Project">{projectPath(entity, project)}</Fact>
        <Fact name="Files">
          {plural(file_count, 'file')} · {formatBytes(size_bytes)}
        </Fact>
        <Fact name="Made">
          <span title={formatDateTime(created_at)}>{formatRelative(created_at, now)}</span>
        </Fact>
        <Fact name="Digest">
          <code title={digest}>{digest}</code>
        </Fact>
      </dl>
    </>
  )
}

function RunFacts({ run }: { run: LineageRun }) {
  const { entity, project, run_id, state, job_type, created_at } = run
  const now = useNow()
  return (
    <>
      {state === null ? (
        <p className={styles.quiet}>This run is not on the server.</p>
      ) : (
        <div className={styles.links}>
          <Link to="/$entity/$project/runs/$id" params={{ entity, project, id: run_id }} className={styles.open}>
            Open the run <ArrowUpRight size={14} />
          </Link>
          <StateBadge run={{ state, preempting: false }} />
        </div>
      )}
      <dl className={styles.facts}>
        {job_type !== null && <Fact name="Job">{job_type}</Fact>}
        <Fact name="Project">{projectPath(entity, project)}</Fact>
        <Fact name="Id">
          <code>{run_id}</code>
        </Fact>
        {created_at !== null && (
          <Fact name="Began">
            <span title={formatDateTime(created_at)}>{formatRelative(created_at, now)}</span>
          </Fact>
        )}
      </dl>
    </>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
