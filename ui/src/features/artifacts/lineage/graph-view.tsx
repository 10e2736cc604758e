import { type KeyboardEvent, type PointerEvent, useCallback, useLayoutEffect, useMemo, useState } from 'react'
import { labelOf } from '~/features/artifacts/lineage/describe-node'
import type { Look } from '~/features/artifacts/lineage/draw-graph'
import { GraphControls } from '~/features/artifacts/lineage/graph-controls'
import type { GraphStage } from '~/features/artifacts/lineage/graph-stage'
import type { LineageColors } from '~/features/artifacts/lineage/lineage-colors'
import type { Direction, LineageGraph } from '~/features/artifacts/lineage/lineage-graph'
import { cardId, NodeCard } from '~/features/artifacts/lineage/node-card'
import { neighbourOf, type Scene, wayThrough } from '~/features/artifacts/lineage/scene'
import { listenToGestures } from '~/features/artifacts/lineage/stage-gestures'
import { kindKey } from '~/features/artifacts/lineage/visible-graph'
import { useStore } from '~/lib/store'
import styles from './graph-view.module.css'

interface GraphViewProps {
  graph: LineageGraph
  scene: Scene
  stage: GraphStage
  colors: LineageColors
  /** By place in the scene. */
  selected: number | null
  /** What is brought into sight. */
  wanted: { id: string } | null
  onSelect: (id: string | null) => void
  onOpenGroup: (id: string) => void
  onToggleSide: (direction: Direction, id: string) => void
}

const PAN_STEP = 80
const ZOOM_STEP = 1.3

/** The graph, and what moves it: mounts a [`GraphStage`] and makes the cards that it names. */
export function GraphView(props: GraphViewProps) {
  const { graph, scene, stage, colors, selected, wanted, onSelect, onOpenGroup, onToggleSide } = props
  const cards = useStore(stage.window)
  const [hovered, setHovered] = useState<{ id: string; x: number; y: number } | null>(null)
  const pointed = hovered === null ? undefined : scene.indexOf.get(hovered.id)
  const centre = pointed ?? selected
  const look = useMemo<Look>(
    () => ({
      colors,
      nodeColors: scene.graph.nodes.map(
        ({ members }) => colors.kinds.get(kindKey(graph.nodes[members[0]])) ?? colors.run,
      ),
      way: centre === null ? null : wayThrough(scene, centre),
      selected,
    }),
    [graph, scene, colors, centre, selected],
  )
  // The stage lives outside React.
  useLayoutEffect(() => stage.setScene(scene), [stage, scene])
  useLayoutEffect(() => stage.setLook(look), [stage, look])
  useLayoutEffect(() => {
    if (wanted !== null) stage.reveal(wanted.id)
  }, [stage, wanted])
  const screen = useCallback(
    (element: HTMLDivElement | null) => {
      const detach = stage.attachScreen(element)
      const stop = element === null ? undefined : listenToGestures(element, stage)
      return () => {
        stop?.()
        detach?.()
      }
    },
    [stage],
  )

  const point = (event: PointerEvent<HTMLDivElement>) => {
    if (event.pointerType === 'touch') return
    const box = event.currentTarget.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    const node = event.buttons === 0 ? stage.nodeAt(x, y) : null
    const isCard = node !== null && scene.graph.nodes[node]?.kind !== 'joint'
    const id = isCard ? scene.graph.nodes[node].id : null
    if (id === null) setHovered(null)
    else if (id !== hovered?.id || !cards.asCards) setHovered({ id, x, y })
  }
  const open = (index: number) => {
    const node = scene.graph.nodes[index]
    if (node.kind === 'group') onOpenGroup(node.id)
    else if (node.kind !== 'joint') onSelect(index === selected ? null : node.id)
  }
  const keyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    // A card that was pressed has the focus; Enter is a click on it.
    if (event.target !== event.currentTarget && event.key === 'Enter') return
    const node = selected === null ? undefined : scene.graph.nodes[selected]
    const pan = event.shiftKey ? PAN_DIRECTIONS[event.key] : undefined
    const next = selected === null ? 0 : neighbourOf(scene, selected, event.key)
    if (pan !== undefined) stage.pan(pan[0] * PAN_STEP, pan[1] * PAN_STEP)
    else if (event.key in PAN_DIRECTIONS) {
      if (next !== null) onSelect(scene.graph.nodes[next].id)
    } else if (event.key === '+' || event.key === '=') stage.zoomSmoothly(ZOOM_STEP)
    else if (event.key === '-') stage.zoomSmoothly(1 / ZOOM_STEP)
    else if (event.key === '0') stage.fit()
    else if (event.key === 'Home') onSelect(scene.graph.nodes[0].id)
    else if (event.key === 'Escape' && selected !== null) onSelect(null)
    else if (event.key === '[' && node?.up) onToggleSide('up', node.id)
    else if (event.key === ']' && node?.down) onToggleSide('down', node.id)
    else if (event.key === 'Enter' && node?.kind === 'group') onOpenGroup(node.id)
    else return
    event.preventDefault()
  }
  const current = selected === null ? undefined : scene.graph.nodes[selected]
  return (
    <div className={styles.frame}>
      <div
        ref={screen}
        className={styles.screen}
        role="application"
        aria-label="Lineage graph"
        aria-describedby="lineage-keys"
        aria-activedescendant={
          selected !== null && cards.asCards && cards.nodes.includes(selected) ? cardId(selected) : undefined
        }
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is gone through with the arrow keys
        tabIndex={0}
        onKeyDown={keyDown}
        onPointerMove={point}
        onPointerLeave={() => setHovered(null)}
        onClick={(event) => {
          event.currentTarget.focus({ preventScroll: true })
          if (event.target instanceof Element && event.target.closest('button') !== null) return
          const box = event.currentTarget.getBoundingClientRect()
          const node = stage.nodeAt(event.clientX - box.left, event.clientY - box.top)
          if (node === null) onSelect(null)
          else open(node)
        }}
      >
        <canvas ref={stage.attachCanvas} className={styles.canvas} aria-hidden />
        <div ref={stage.attachCards} className={styles.cards}>
          {cards.scene === scene &&
            cards.nodes.map((index) => {
              const node = scene.graph.nodes[index]
              return node.kind === 'joint' ? null : (
                <NodeCard
                  key={node.id}
                  index={index}
                  graph={graph}
                  scene={scene}
                  color={look.nodeColors[index]}
                  dimmed={look.way !== null && !look.way.nodes.has(index)}
                  selected={index === selected}
                  onOpen={open}
                  onToggleSide={onToggleSide}
                />
              )
            })}
        </div>
        {!cards.asCards && hovered !== null && pointed !== undefined && (
          <div className={styles.tip} style={{ left: hovered.x, top: hovered.y }} role="tooltip">
            {labelOf(graph, scene.graph.nodes[pointed])}
          </div>
        )}
      </div>
      <p className="visually-hidden" role="status">
        {current === undefined ? '' : labelOf(graph, current)}
      </p>
      <GraphControls stage={stage} step={ZOOM_STEP} />
    </div>
  )
}

const PAN_DIRECTIONS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
}
