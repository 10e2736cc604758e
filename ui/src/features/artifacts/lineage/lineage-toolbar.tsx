import type { CSSProperties } from 'react'
import type { LineageColors } from '~/features/artifacts/lineage/lineage-colors'
import type { LineageMode } from '~/features/artifacts/lineage/lineage-explorer'
import { type LineageGraph, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { NodeSearch } from '~/features/artifacts/lineage/node-search'
import { kindKey, type LineageView } from '~/features/artifacts/lineage/visible-graph'
import { formatInteger } from '~/lib/format-number'
import { Checkbox, Segmented } from '~/ui/field'
import styles from './lineage-toolbar.module.css'

interface LineageToolbarProps {
  graph: LineageGraph
  colors: LineageColors
  view: LineageView
  mode: LineageMode
  onMode: (mode: LineageMode) => void
  onShow: (node: number) => void
  onToggleKind: (kind: string) => void
  onGrouped: (grouped: boolean) => void
}

const MODES = [
  { value: 'graph', label: 'Graph' },
  { value: 'table', label: 'Table' },
] as const

/** Search, which kinds there are and are shown, and how they are shown. */
export function LineageToolbar(props: LineageToolbarProps) {
  const { graph, colors, view, mode, onMode, onShow, onToggleKind, onGrouped } = props
  return (
    <div className={styles.bar}>
      <NodeSearch graph={graph} onShow={onShow} />
      <fieldset className={styles.kinds} aria-label="Kinds" disabled={mode === 'table'}>
        {kindsOf(graph).map(({ key, name, shape, count }) => (
          <button
            key={key}
            type="button"
            className={styles.kind}
            style={{ '--kind': colors.kinds.get(key) } as CSSProperties}
            data-shape={shape}
            aria-pressed={!view.hidden.has(key)}
            title={view.hidden.has(key) ? `Show ${name}` : `Hide ${name}`}
            onClick={() => onToggleKind(key)}
          >
            <span className={styles.mark} />
            {name}
            <span className={styles.count}>{formatInteger(count)}</span>
          </button>
        ))}
      </fieldset>
      <span className={styles.space} />
      {mode === 'graph' && (
        <span className={styles.grouped}>
          <Checkbox checked={view.grouped} onChange={(event) => onGrouped(event.target.checked)}>
            Group alike
          </Checkbox>
        </span>
      )}
      <Segmented label="Shown as" value={mode} options={MODES} onChange={onMode} />
    </div>
  )
}

/** The kinds of a lineage, versions before runs, and how many there are of each. */
function kindsOf({ nodes }: LineageGraph) {
  const kinds = new Map<string, { key: string; name: string; shape: 'artifact' | 'run'; count: number }>()
  for (const node of nodes) {
    const key = kindKey(node)
    const kind = kinds.get(key) ?? { key, name: kindName(node.kind, typeOf(node)), shape: node.kind, count: 0 }
    kinds.set(key, { ...kind, count: kind.count + 1 })
  }
  return [...kinds.values()].sort((a, b) => (a.shape === b.shape ? b.count - a.count : a.shape < b.shape ? -1 : 1))
}

function kindName(kind: 'artifact' | 'run', type: string): string {
  if (kind === 'artifact') return type
  return type === '' ? 'runs' : `${type} runs`
}
