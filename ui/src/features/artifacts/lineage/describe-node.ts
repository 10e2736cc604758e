import { type LineageGraph, type LineageNode, nameOf, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import type { VisibleNode } from '~/features/artifacts/lineage/visible-graph'
import { compareNaturally } from '~/features/metrics/sections'
import { formatInteger } from '~/lib/format-number'

/** What is written on a node: what it is called, and below that what it is. */
export interface NodeText {
  title: string
  /** The end of the title, which is never cut off: a version. */
  titleEnd: string
  note: string
}

export function textOf(graph: LineageGraph, { members }: VisibleNode): NodeText {
  const first = graph.nodes[members[0]]
  if (members.length > 1) {
    const collection = sharedCollection(graph, members)
    if (collection === null)
      return { title: groupName(graph, members), titleEnd: '', note: endsOf(graph, members, nameOf) }
    const note = `versions ${endsOf(graph, members, versionOf)}`
    return { title: collection, titleEnd: `\u00a0× ${formatInteger(members.length)}`, note }
  }
  if (first.kind === 'artifact') {
    const { collection, version, type, aliases } = first.artifact
    return { title: collection, titleEnd: `:${version}`, note: [type, ...aliases].join(' · ') }
  }
  const { state, job_type } = first.run
  return { title: nameOf(first), titleEnd: '', note: [job_type ?? 'run', state ?? 'not here'].join(' · ') }
}

/** What a node is called when it is read out. */
export function labelOf(graph: LineageGraph, node: VisibleNode): string {
  if (node.kind === 'group') return groupName(graph, node.members)
  const { title, titleEnd, note } = textOf(graph, node)
  return `${node.kind === 'run' ? 'run' : 'version'} ${title}${titleEnd}, ${note.replaceAll(' · ', ', ')}`
}

/** `37 train runs`, `37 versions of digits`, `12 dataset versions`. */
export function groupName(graph: LineageGraph, members: readonly number[]): string {
  const first = graph.nodes[members[0]]
  const count = formatInteger(members.length)
  if (first.kind === 'run') return `${[count, typeOf(first)].filter(Boolean).join(' ')} runs`
  const collection = sharedCollection(graph, members)
  return collection === null ? `${count} ${typeOf(first)} versions` : `${count} versions of ${collection}`
}

/** The collection that all are versions of, if they are. */
function sharedCollection({ nodes }: LineageGraph, members: readonly number[]): string | null {
  const collections = new Set(
    members.map((member) => {
      const node = nodes[member]
      return node.kind === 'artifact' ? node.artifact.collection : null
    }),
  )
  return collections.size === 1 ? ([...collections][0] ?? null) : null
}

function versionOf(node: LineageNode): string {
  return node.kind === 'artifact' ? node.artifact.version : nameOf(node)
}

/** The first and the last one, in the order of their names. */
function endsOf({ nodes }: LineageGraph, members: readonly number[], name: (node: LineageNode) => string): string {
  const names = members.map((member) => name(nodes[member])).sort(compareNaturally)
  return `${names[0]} … ${names.at(-1)}`
}

/** Nodes whose name, type or alias holds all words of a search: first those that are called so, then those that begin so. */
export function searchNodes(nodes: readonly LineageNode[], search: string): number[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return []
  const names = nodes.map((node) => nameOf(node).toLowerCase())
  const found = [...nodes.keys()].filter((index) => {
    const text = `${names[index]} ${typeOf(nodes[index]).toLowerCase()} ${aliasesOf(nodes[index]).toLowerCase()}`
    return words.every((word) => text.includes(word))
  })
  const rank = (index: number) => {
    const parts = names[index].split(':')
    if (words.every((word) => word === names[index] || parts.includes(word))) return 0
    return names[index].startsWith(words[0]) ? 1 : 2
  }
  return found.sort((a, b) => rank(a) - rank(b) || compareNaturally(names[a], names[b]))
}

function aliasesOf(node: LineageNode): string {
  return node.kind === 'artifact' ? node.artifact.aliases.join(' ') : node.run.run_id
}
