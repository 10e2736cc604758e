import { useMemo } from 'react'
import type { Run } from '~/api/types'
import { assignSlots, paletteColor, preferredSlot } from '~/charts/palette'
import { useDark } from '~/hooks/use-theme'
import { readStored, writeStored } from '~/lib/storage'

export interface RunColors {
  slotOf: (id: string) => number
  colorOf: (id: string) => string
}

/** Slots that runs got since the page was loaded, by project: a run has one colour on all pages. */
const given = new Map<string, ReadonlyMap<string, number>>()

/** The slot of a run by itself: the chosen one, the one that it has beside others, or the one it would like. */
export function slotOfRun(project: string, id: string): number {
  const chosen = readStored<Record<string, number>>(`colors.${project}`, {})
  return chosen[id] ?? given.get(project)?.get(id) ?? preferredSlot(id)
}

/** Colours of the runs on the charts, apart from each other; of other runs what they would like to have. */
export function useRunColors(project: string, visible: readonly Run[], fromAddress: Record<string, number>): RunColors {
  const dark = useDark()
  return useMemo(() => {
    const chosen = { ...readStored<Record<string, number>>(`colors.${project}`, {}), ...fromAddress }
    const oldestFirst = [...visible].sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
    const ids = oldestFirst.map(({ id }) => id)
    const known = given.get(project) ?? new Map<string, number>()
    const slots = assignSlots(ids, chosen, known)
    given.set(project, new Map([...known, ...slots]))
    const slotOf = (id: string) => chosen[id] ?? slots.get(id) ?? known.get(id) ?? preferredSlot(id)
    return { slotOf, colorOf: (id: string) => paletteColor(slotOf(id), dark) }
  }, [project, visible, fromAddress, dark])
}

/** Keeps a colour chosen by hand for the next visit; the address carries it to others. */
export function storeColor(project: string, id: string, slot: number): void {
  writeStored(`colors.${project}`, { ...readStored<Record<string, number>>(`colors.${project}`, {}), [id]: slot })
}
