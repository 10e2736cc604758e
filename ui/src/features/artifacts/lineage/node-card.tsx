import { Box, Database, Layers, Minus, Package, Plus } from 'lucide-react'
import { type CSSProperties, memo } from 'react'
import { labelOf, textOf } from '~/features/artifacts/lineage/describe-node'
import { type Direction, type LineageGraph, type LineageNode, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { boxAt, type Scene } from '~/features/artifacts/lineage/scene'
import type { Side, VisibleNode } from '~/features/artifacts/lineage/visible-graph'
import { formatCount } from '~/lib/format-number'
import { StateMark } from '~/ui/state-badge'
import styles from './node-card.module.css'

interface NodeCardProps {
  graph: LineageGraph
  scene: Scene
  index: number
  color: string
  dimmed: boolean
  selected: boolean
  onOpen: (index: number) => void
  onToggleSide: (direction: Direction, id: string) => void
}

export function cardId(index: number): string {
  return `lineage-card-${index}`
}

/** A version, a run or a group at its place in the graph. Keys go to the graph as a whole, so that nothing of it takes a tab stop. */
export const NodeCard = memo(function NodeCard(props: NodeCardProps) {
  const { graph, scene, index, color, dimmed, selected, onOpen, onToggleSide } = props
  const node = scene.graph.nodes[index]
  const { title, titleEnd, note } = textOf(graph, node)
  const label = labelOf(graph, node)
  const { x, y, width, height } = boxAt(scene, index)
  return (
    <div
      className={styles.place}
      style={{ left: x, top: y, width, height, '--kind': color } as CSSProperties}
      data-kind={node.kind}
      data-of={graph.nodes[node.members[0]].kind}
      data-dimmed={dimmed || undefined}
      data-asked={index === 0 || undefined}
    >
      <button
        id={cardId(index)}
        type="button"
        tabIndex={-1}
        className={styles.card}
        aria-label={label}
        aria-pressed={selected}
        aria-current={index === 0 ? 'true' : undefined}
        title={`${title}${titleEnd}`}
        onClick={() => onOpen(index)}
      >
        <span className={styles.icon}>
          <NodeIcon node={graph.nodes[node.members[0]]} isGroup={node.kind === 'group'} />
        </span>
        <span className={styles.text}>
          <span className={styles.title}>
            <span className={styles.name}>{title}</span>
            <span className={styles.end}>{titleEnd}</span>
          </span>
          <span className={styles.note}>{note}</span>
        </span>
      </button>
      <SideButton node={node} label={label} direction="up" side={node.up} onToggle={onToggleSide} />
      <SideButton node={node} label={label} direction="down" side={node.down} onToggle={onToggleSide} />
    </div>
  )
})

export function NodeIcon({
  node,
  isGroup = false,
  size = 15,
}: {
  node: LineageNode
  isGroup?: boolean
  size?: number
}) {
  if (isGroup) return <Layers size={size} />
  if (node.kind === 'artifact') {
    const Icon = { dataset: Database, model: Box }[typeOf(node)] ?? Package
    return <Icon size={size} />
  }
  return node.run.state === null ? (
    <Minus size={size} />
  ) : (
    <StateMark run={{ state: node.run.state, preempting: false }} />
  )
}

interface SideButtonProps {
  node: VisibleNode
  label: string
  direction: Direction
  side: Side | null
  onToggle: (direction: Direction, id: string) => void
}

/** Puts away what hangs on one side, or tells how much that is and brings it back. */
function SideButton({ node, label, direction, side, onToggle }: SideButtonProps) {
  if (side === null) return null
  return (
    <button
      type="button"
      tabIndex={-1}
      className={styles.side}
      data-direction={direction}
      data-closed={side.closed || undefined}
      aria-expanded={!side.closed}
      aria-label={`${sideLabel(direction, side)} of ${label}`}
      title={sideLabel(direction, side)}
      onClick={() => onToggle(direction, node.id)}
    >
      {side.closed ? (
        <>
          <Plus size={11} />
          {formatCount(side.count)}
        </>
      ) : (
        <Minus size={11} />
      )}
    </button>
  )
}

/** `Hide 12 origins`, `Show 3 results`. */
export function sideLabel(direction: Direction, { closed, count }: Side): string {
  const noun = direction === 'up' ? 'origin' : 'result'
  return `${closed ? 'Show' : 'Hide'} ${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
