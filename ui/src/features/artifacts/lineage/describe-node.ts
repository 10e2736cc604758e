import { type LineageGraph, type LineageNode, nameOf, typeOf } from '~/features/artifacts/lineage/lineage-graph'
import type { VisibleNode } from '~/features/artifacts/lineage/visible-graph'
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
    return { title: groupName(graph, members), titleEnd: '', note: someNames(graph, members) }
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
  const { title, titleEnd, note } = textOf(graph, node)
  if (node.kind === 'group') return title
  return `${node.kind === 'run' ? 'run' : 'version'} ${title}${titleEnd}, ${note.replaceAll(' · ', ', ')}`
}

/** `37 train runs`, `37 versions of digits`, `12 dataset versions`. */
export function groupName({ nodes }: LineageGraph, members: readonly number[]): string {
  const first = nodes[members[0]]
  const count = formatInteger(members.length)
  if (first.kind === 'run') return `${[count, typeOf(first)].filter(Boolean).join(' ')} runs`
  const sameCollection = members.every((member) => {
    const node = nodes[member]
    return node.kind === 'artifact' && node.artifact.collection === first.artifact.collection
  })
  return sameCollection ? `${count} versions of ${first.artifact.collection}` : `${count} ${typeOf(first)} versions`
}

function someNames({ nodes }: LineageGraph, members: readonly number[]): string {
  const [first, second] = members.map((member) => nameOf(nodes[member]))
  return `${first}, ${second}${members.length > 2 ? ', …' : ''}`
}

/** Nodes whose name holds all words of a search, those that begin with it first. */
export function searchNodes(nodes: readonly LineageNode[], search: string): number[] {
  const text = search.trim().toLowerCase()
  const words = text.split(/\s+/).filter(Boolean)
  if (words.length === 0) return []
  const names = nodes.map((node) => `${nameOf(node)} ${typeOf(node)} ${aliasesOf(node)}`.toLowerCase())
  const found = [...nodes.keys()].filter((index) => words.every((word) => names[index].includes(word)))
  const rank = (index: number) => (names[index].startsWith(text) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b))
}

function aliasesOf(node: LineageNode): string {
  return node.kind === 'artifact' ? node.artifact.aliases.join(' ') : node.run.run_id
}
