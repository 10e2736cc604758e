import { useMemo, useState } from 'react'
import type { Lineage } from '~/api/types'
import {
  groupsOnWay,
  withGroupOpened,
  withKindToggled,
  withNodeGrouped,
  withNodeShown,
  withSideToggled,
} from '~/features/artifacts/lineage/change-view'
import { GraphStage } from '~/features/artifacts/lineage/graph-stage'
import { GraphView } from '~/features/artifacts/lineage/graph-view'
import { lineageColors } from '~/features/artifacts/lineage/lineage-colors'
import { type Direction, lineageGraph } from '~/features/artifacts/lineage/lineage-graph'
import { LineageTable } from '~/features/artifacts/lineage/lineage-table'
import { LineageToolbar } from '~/features/artifacts/lineage/lineage-toolbar'
import { NodeDetails } from '~/features/artifacts/lineage/node-details'
import { sceneOf } from '~/features/artifacts/lineage/scene'
import { visibleGraph, WHOLE_LINEAGE } from '~/features/artifacts/lineage/visible-graph'
import { useDark } from '~/hooks/use-theme'
import { formatInteger } from '~/lib/format-number'
import styles from './lineage-explorer.module.css'

export type LineageMode = 'graph' | 'table'

/** A lineage as a graph to move about in, or as a table, and what is known of one node beside it. */
export function LineageExplorer({ lineage }: { lineage: Lineage }) {
  const dark = useDark()
  const graph = useMemo(() => lineageGraph(lineage), [lineage])
  const colors = useMemo(() => lineageColors(graph, dark), [graph, dark])
  const [view, setView] = useState(WHOLE_LINEAGE)
  const visible = useMemo(() => visibleGraph(graph, view), [graph, view])
  const scene = useMemo(() => sceneOf(visible), [visible])
  const [stage] = useState(() => new GraphStage())
  const [mode, setMode] = useState<LineageMode>('graph')
  const [selectedId, setSelectedId] = useState<string | null>(null)
  /** The node that is brought into sight; a new object each time. */
  const [wanted, setWanted] = useState<{ id: string } | null>(null)
  const selected = selectedId === null ? undefined : scene.indexOf.get(selectedId)

  const select = (id: string | null) => {
    setSelectedId(id)
    setWanted(id === null ? null : { id })
  }
  const show = (node: number) => {
    setView((current) => withNodeShown(current, graph, node))
    setMode('graph')
    select(graph.nodes[node].id)
  }
  const toggleSide = (direction: Direction, id: string) => {
    stage.keep(id)
    setView((current) => withSideToggled(current, direction, id))
  }
  const openGroup = (id: string) => {
    const group = visible.nodes[scene.indexOf.get(id) ?? 0]
    setView((current) => withGroupOpened(current, id))
    select(graph.nodes[group.members[0]].id)
  }
  const selectedNode = selected === undefined ? undefined : visible.nodes[selected]
  const member = selectedNode === undefined || selectedNode.kind === 'group' ? undefined : selectedNode.members[0]
  const groups = member === undefined ? [] : groupsOnWay(graph, member, visible.nodes)
  const groupAgain = (node: number) => {
    setView((current) => withNodeGrouped(current, graph, node, visible.nodes))
    select(groups.at(-1) ?? null)
  }
  return (
    <div className={styles.explorer}>
      <LineageToolbar
        graph={graph}
        colors={colors}
        view={view}
        mode={mode}
        onMode={setMode}
        onShow={show}
        onToggleKind={(kind) => setView((current) => withKindToggled(current, kind))}
        onGrouped={(grouped) => setView((current) => ({ ...current, grouped }))}
      />
      {lineage.truncated && (
        <p className={styles.truncated} role="note">
          There is more than is shown: these are the {formatInteger(graph.nodes.length)} nearest versions and runs. Open
          the lineage of one of them to go on from there.
        </p>
      )}
      <div className={styles.panes}>
        {mode === 'table' ? (
          <LineageTable graph={graph} colors={colors} onShow={show} />
        ) : (
          <GraphView
            graph={graph}
            scene={scene}
            stage={stage}
            colors={colors}
            selected={selected ?? null}
            wanted={wanted}
            onSelect={select}
            onOpenGroup={openGroup}
            onToggleSide={toggleSide}
          />
        )}
        {mode === 'graph' && selectedNode !== undefined && (
          <NodeDetails
            graph={graph}
            node={selectedNode}
            colors={colors}
            onShow={show}
            onOpenGroup={openGroup}
            onGroupAgain={member === undefined || groups.length === 0 ? null : () => groupAgain(member)}
            onToggleSide={toggleSide}
            onClose={() => select(null)}
          />
        )}
      </div>
    </div>
  )
}
