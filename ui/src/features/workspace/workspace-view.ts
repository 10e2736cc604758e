import type { Sort } from '~/api/types'
import { type ChartView, DEFAULT_CHART_VIEW, decodeChartView, encodeChartView } from '~/features/metrics/chart-view'
import { joinList, type SearchParams, splitList } from '~/lib/search-params'

/** A workspace as its address says it: a link shows the same to everybody. */
export interface WorkspaceView {
  mode: 'charts' | 'table'
  /** What stands in the search box: text, or a filter expression. */
  query: string
  sort: Sort | null
  groupBy: string | null
  /** Fields shown beside the name; `null` for the mode's own choice. */
  columns: string[] | null
  /** Whether the table leaves out config that is the same in all shown runs. */
  onlyDifferences: boolean
  /** How many runs from the top of the list are on the charts … */
  top: number
  /** … and which ones besides … */
  show: string[]
  /** … and which ones not. */
  hide: string[]
  /** Colours chosen by hand: run id to palette slot. */
  colors: Record<string, number>
  chart: ChartView
}

export const DEFAULT_TOP = 20
/** More lines than this nobody can read, and no screen needs. */
export const MAX_TOP = 500

export const DEFAULT_VIEW: WorkspaceView = {
  mode: 'charts',
  query: '',
  sort: null,
  groupBy: null,
  columns: null,
  onlyDifferences: false,
  top: DEFAULT_TOP,
  show: [],
  hide: [],
  colors: {},
  chart: DEFAULT_CHART_VIEW,
}

export function encodeView(view: WorkspaceView): SearchParams {
  const search: SearchParams = {}
  if (view.mode !== 'charts') search.view = view.mode
  if (view.query !== '') search.q = view.query
  if (view.sort !== null) search.sort = `${view.sort.descending ? '-' : ''}${view.sort.field}`
  if (view.groupBy !== null) search.group = view.groupBy
  if (view.columns !== null) search.columns = joinList(view.columns)
  if (view.onlyDifferences) search.differ = '1'
  if (view.top !== DEFAULT_TOP) search.top = String(view.top)
  if (view.show.length > 0) search.show = joinList(view.show)
  if (view.hide.length > 0) search.hide = joinList(view.hide)
  const colors = Object.entries(view.colors)
  if (colors.length > 0) search.colors = joinList(colors.map(([id, slot]) => `${id}~${slot}`))
  return { ...search, ...encodeChartView(view.chart) }
}

export function decodeView(search: SearchParams): WorkspaceView {
  return {
    mode: search.view === 'table' ? 'table' : 'charts',
    query: search.q ?? '',
    sort: decodeSort(search.sort),
    groupBy: search.group ?? null,
    columns: search.columns === undefined ? null : splitList(search.columns),
    onlyDifferences: search.differ === '1',
    top: decodeTop(search.top),
    show: splitList(search.show),
    hide: splitList(search.hide),
    colors: decodeColors(search.colors),
    chart: decodeChartView(search),
  }
}

function decodeSort(text: string | undefined): Sort | null {
  if (text === undefined || text === '' || text === '-') return null
  return text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false }
}

function decodeTop(text: string | undefined): number {
  const top = Number(text ?? DEFAULT_TOP)
  return Number.isInteger(top) && top >= 0 ? Math.min(top, MAX_TOP) : DEFAULT_TOP
}

function decodeColors(text: string | undefined): Record<string, number> {
  const colors: Record<string, number> = {}
  for (const part of splitList(text)) {
    const cut = part.lastIndexOf('~')
    const slot = Number(part.slice(cut + 1))
    if (cut > 0 && Number.isInteger(slot)) colors[part.slice(0, cut)] = slot
  }
  return colors
}
