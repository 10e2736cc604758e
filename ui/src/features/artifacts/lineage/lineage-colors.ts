import { assignSlots, paletteColor } from '~/charts/palette'
import type { LineageGraph } from '~/features/artifacts/lineage/lineage-graph'
import { kindKey } from '~/features/artifacts/lineage/visible-graph'

/** Colours of what is drawn on the canvas, which no style sheet reaches. */
export interface LineageColors {
  link: string
  /** Links on the way to and from what is pointed at. */
  way: string
  run: string
  accent: string
  dimmed: number
  /** The part of the small map that is in sight. */
  sight: string
  /** By kind, as `kindKey` says it. */
  kinds: ReadonlyMap<string, string>
}

const LIGHT = { link: '#c3c6d2', way: '#5151cd', run: '#8b90a0', accent: '#5151cd', sight: 'rgba(81, 81, 205, 0.12)' }
const DARK = { link: '#454955', way: '#8d8dff', run: '#7b8090', accent: '#8d8dff', sight: 'rgba(141, 141, 255, 0.16)' }
const DIMMED = 0.22

/** Each type of versions has a colour of its own, the same wherever the same types are; runs have one together. */
export function lineageColors({ nodes }: LineageGraph, dark: boolean): LineageColors {
  const base = dark ? DARK : LIGHT
  const types = [...new Set(nodes.flatMap((node) => (node.kind === 'artifact' ? [kindKey(node)] : [])))].sort()
  const slots = assignSlots(types, {}, new Map())
  const kinds = new Map(types.map((type) => [type, paletteColor(slots.get(type) ?? 0, dark)]))
  for (const node of nodes) if (node.kind === 'run') kinds.set(kindKey(node), base.run)
  return { ...base, dimmed: DIMMED, kinds }
}
