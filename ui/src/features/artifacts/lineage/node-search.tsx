import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import { searchNodes } from '~/features/artifacts/lineage/describe-node'
import { type LineageGraph, nameOf, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import { NodeIcon } from '~/features/artifacts/lineage/node-card'
import { plural } from '~/lib/format-number'
import { nextItem } from '~/ui/arrow-keys'
import { TextInput } from '~/ui/field'
import styles from './node-search.module.css'

/** More than these are counted, not listed. */
const MAX_LISTED = 50

/** Finds a node by what it is called, and goes to it. */
export function NodeSearch({ graph, onShow }: { graph: LineageGraph; onShow: (node: number) => void }) {
  const id = useId()
  const [search, setSearch] = useState('')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(0)
  const found = useMemo(() => searchNodes(graph.nodes, search), [graph, search])
  const listed = found.slice(0, MAX_LISTED)
  const isOpen = open && search.trim() !== ''
  const choose = (node: number) => {
    onShow(node)
    setOpen(false)
  }
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setOpen(false)
    if (!isOpen || listed.length === 0) return
    const next = nextItem(event.key, active, listed.length, 'vertical')
    if (event.key === 'Enter') choose(listed[active])
    else if (next !== null && event.key !== 'Home' && event.key !== 'End') setActive(next)
    else return
    event.preventDefault()
  }
  return (
    <div className={styles.search}>
      <TextInput
        type="search"
        role="combobox"
        aria-label="Find a run or version"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && listed.length > 0 ? `${id}-${active}` : undefined}
        placeholder="Find a run or version"
        value={search}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={(event) => {
          setSearch(event.target.value)
          setActive(0)
          setOpen(true)
        }}
        onKeyDown={keyDown}
      />
      {isOpen && (
        <div className={styles.panel}>
          <div id={id} role="listbox" aria-label="Found" className={styles.list}>
            {listed.map((node, place) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys come to the input
              <div
                key={graph.nodes[node].id}
                id={`${id}-${place}`}
                role="option"
                aria-selected={place === active}
                tabIndex={-1}
                className={styles.option}
                ref={(element) => {
                  if (place === active) element?.scrollIntoView({ block: 'nearest' })
                }}
                // The input keeps the focus.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(node)}
              >
                <NodeIcon node={graph.nodes[node]} size={13} />
                <span className={styles.name}>{nameOf(graph.nodes[node])}</span>
                <span className={styles.type}>{typeOf(graph.nodes[node])}</span>
              </div>
            ))}
          </div>
          <p className={styles.count} role="status">
            {found.length > MAX_LISTED
              ? `first ${MAX_LISTED} of ${plural(found.length, 'node')}`
              : plural(found.length, 'node')}
          </p>
        </div>
      )}
    </div>
  )
}
