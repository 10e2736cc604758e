import { useState } from 'react'
import { type LineageGraph, nameOf } from '~/features/artifacts/lineage/lineage-graph'
import { NodeIcon } from '~/features/artifacts/lineage/node-card'
import { formatInteger } from '~/lib/format-number'
import styles from './node-links.module.css'

/** So many are listed at first; what is longer is opened. */
const FEW = 8

interface NodeLinksProps {
  title: string
  graph: LineageGraph
  nodes: readonly number[]
  onShow: (node: number) => void
}

/** Nodes by name, each of which leads to itself in the graph. */
export function NodeLinks({ title, graph, nodes, onShow }: NodeLinksProps) {
  const [all, setAll] = useState(false)
  if (nodes.length === 0) return null
  return (
    <section aria-label={title}>
      <h3 className={styles.title}>
        {title}
        {nodes.length > 1 && <span className={styles.count}>{formatInteger(nodes.length)}</span>}
      </h3>
      <ul className={styles.list}>
        {nodes.slice(0, all ? undefined : FEW).map((node) => (
          <li key={node}>
            <button type="button" className={styles.link} onClick={() => onShow(node)}>
              <NodeIcon node={graph.nodes[node]} size={13} />
              <span className={styles.name}>{nameOf(graph.nodes[node])}</span>
            </button>
          </li>
        ))}
      </ul>
      {!all && nodes.length > FEW && (
        <button type="button" className={styles.more} onClick={() => setAll(true)}>
          {formatInteger(nodes.length - FEW)} more
        </button>
      )}
    </section>
  )
}
