import { Link } from '@tanstack/react-router'
import { Crosshair } from 'lucide-react'
import { type CSSProperties, useMemo, useState } from 'react'
import { searchNodes } from '~/features/artifacts/lineage/describe-node'
import type { LineageColors } from '~/features/artifacts/lineage/lineage-colors'
import { type LineageGraph, type LineageNode, nameOf, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { lineageRows, stepsText } from '~/features/artifacts/lineage/lineage-rows'
import { NodeIcon } from '~/features/artifacts/lineage/node-card'
import { kindKey } from '~/features/artifacts/lineage/visible-graph'
import { formatInteger, plural } from '~/lib/format-number'
import { formatDateTime } from '~/lib/format-time'
import { IconButton } from '~/ui/button'
import { TextInput } from '~/ui/field'
import styles from './lineage-table.module.css'

interface LineageTableProps {
  graph: LineageGraph
  colors: LineageColors
  onShow: (node: number) => void
}

const NAMED = 3

/** The lineage as a table: what the graph shows, in words. */
export function LineageTable({ graph, colors, onShow }: LineageTableProps) {
  const [search, setSearch] = useState('')
  const rows = useMemo(() => {
    const all = lineageRows(graph)
    if (search.trim() === '') return all
    const found = new Set(searchNodes(graph.nodes, search))
    return all.filter(({ node }) => found.has(node))
  }, [graph, search])
  return (
    <div className={styles.scroller}>
      <div className={styles.filter}>
        <TextInput
          type="search"
          aria-label="Filter the table"
          placeholder="Filter the table"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <span className={styles.quiet}>{plural(rows.length, 'row')}</span>
      </div>
      <table className={styles.table} aria-label="Lineage">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col">Where</th>
            <th scope="col">Came from</th>
            <th scope="col">Led to</th>
            <th scope="col">Time</th>
            <th scope="col">
              <span className="visually-hidden">Show in the graph</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, steps }) => {
            const each = graph.nodes[node]
            const time = each.kind === 'artifact' ? each.artifact.created_at : each.run.created_at
            return (
              <tr key={each.id} data-asked={node === 0 || undefined}>
                <th scope="row">
                  <span className={styles.name} style={{ '--kind': colors.kinds.get(kindKey(each)) } as CSSProperties}>
                    <NodeIcon node={each} size={14} />
                    <NodeLink node={each} />
                  </span>
                </th>
                <td>
                  {each.kind === 'artifact'
                    ? `version · ${typeOf(each)}`
                    : ['run', typeOf(each)].filter(Boolean).join(' · ')}
                </td>
                <td className={styles.quiet}>{stepsText(steps)}</td>
                <td>{someOf(graph, graph.up[node])}</td>
                <td>{someOf(graph, graph.down[node])}</td>
                <td className={styles.quiet}>{time === null ? '' : formatDateTime(time)}</td>
                <td>
                  <IconButton label={`Show ${nameOf(each)} in the graph`} onClick={() => onShow(node)}>
                    <Crosshair size={14} />
                  </IconButton>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function NodeLink({ node }: { node: LineageNode }) {
  if (node.kind === 'artifact') {
    const { entity, project, collection, version } = node.artifact
    return (
      <Link to="/$entity/$project/artifacts/$collection/$version" params={{ entity, project, collection, version }}>
        {nameOf(node)}
      </Link>
    )
  }
  if (node.run.state === null) return <span title="This run is not on the server">{nameOf(node)}</span>
  const { entity, project, run_id } = node.run
  return (
    <Link to="/$entity/$project/runs/$id" params={{ entity, project, id: run_id }}>
      {nameOf(node)}
    </Link>
  )
}

function someOf(graph: LineageGraph, nodes: readonly number[]): string {
  const names = nodes.slice(0, NAMED).map((node) => nameOf(graph.nodes[node]))
  return nodes.length > NAMED ? `${names.join(', ')} and ${formatInteger(nodes.length - NAMED)} more` : names.join(', ')
}
