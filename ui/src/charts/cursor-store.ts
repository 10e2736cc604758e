import { createStore } from '~/lib/store'

/** Where the pointer is along x, and over which chart. */
export interface SharedCursor {
  source: string
  /** What `x` is: the chart's axis, for charts with another one have no such place. */
  axis: string
  x: number
}

/** The crosshair of all charts of the page. */
export const cursorStore = createStore<SharedCursor | null>(null)

/** The run under the pointer, in the list or in a chart: `entity/project/id`. */
export const highlightStore = createStore<string | null>(null)
