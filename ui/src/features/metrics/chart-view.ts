import type { XAxis } from '~/api/types'
import type { Range } from '~/charts/range'
import { joinList, type SearchParams, splitList } from '~/lib/search-params'

export type ChartSize = 'small' | 'medium' | 'large'

/** How charts are shown: all of it stands in the page's address. */
export interface ChartView {
  x: XAxis
  /** Whether, while x is the step, a chart whose metric has an axis of its own is drawn over that. */
  ownAxes: boolean
  /** Weight of the moving average, 0 (off) to under 1. */
  smoothing: number
  logX: boolean
  logY: boolean
  /** Whether the min/max band is drawn. */
  bands: boolean
  ignoreOutliers: boolean
  size: ChartSize
  /** Which charts: text in the key, or `/a regular expression/`. */
  search: string
  /** Names of collapsed sections. */
  closed: string[]
  /** Whether the charts that scripts want hidden are shown. */
  hidden: boolean
  /** Whether the charts of what machines were busy with are shown; `null` for what is usual on the page. */
  system: boolean | null
  /** Key of the chart shown full-screen. */
  expanded: string | null
  /** The part of x that all charts show. */
  zoom: Range | null
  /** Whether zooming one chart zooms all. */
  linked: boolean
}

export const DEFAULT_CHART_VIEW: ChartView = {
  x: { kind: 'step' },
  ownAxes: true,
  smoothing: 0,
  logX: false,
  logY: false,
  bands: true,
  ignoreOutliers: false,
  size: 'medium',
  search: '',
  closed: [],
  hidden: false,
  system: null,
  expanded: null,
  zoom: null,
  linked: true,
}

const X_NAMES = { step: 'step', relative_time: 'relative', wall_time: 'wall' } as const

function encodeX(x: XAxis): string {
  return x.kind === 'metric' ? `metric:${x.key}` : X_NAMES[x.kind]
}

export function decodeX(text: string | undefined): XAxis {
  if (text === 'relative') return { kind: 'relative_time' }
  if (text === 'wall') return { kind: 'wall_time' }
  if (text?.startsWith('metric:')) return { kind: 'metric', key: text.slice('metric:'.length) }
  return { kind: 'step' }
}

/** Only what differs from the default is said. */
export function encodeChartView(view: ChartView): SearchParams {
  const search: SearchParams = {}
  if (view.x.kind !== 'step') search.x = encodeX(view.x)
  if (!view.ownAxes) search.own = '0'
  if (view.smoothing > 0) search.smooth = String(view.smoothing)
  if (view.logX) search.logx = '1'
  if (view.logY) search.logy = '1'
  if (!view.bands) search.bands = '0'
  if (view.ignoreOutliers) search.outliers = '0'
  if (view.size !== 'medium') search.size = view.size
  if (view.search !== '') search.keys = view.search
  if (view.closed.length > 0) search.closed = joinList(view.closed)
  if (view.hidden) search.hidden = '1'
  if (view.system !== null) search.system = view.system ? '1' : '0'
  if (view.expanded !== null) search.chart = view.expanded
  if (view.zoom !== null) search.zoom = view.zoom.join('~')
  if (!view.linked) search.linked = '0'
  return search
}

export function decodeChartView(search: SearchParams): ChartView {
  return {
    x: decodeX(search.x),
    ownAxes: search.own !== '0',
    smoothing: decodeSmoothing(search.smooth),
    logX: search.logx === '1',
    logY: search.logy === '1',
    bands: search.bands !== '0',
    ignoreOutliers: search.outliers === '0',
    size: search.size === 'small' || search.size === 'large' ? search.size : 'medium',
    search: search.keys ?? '',
    closed: splitList(search.closed),
    hidden: search.hidden === '1',
    system: search.system === undefined ? null : search.system === '1',
    expanded: search.chart ?? null,
    zoom: decodeRange(search.zoom),
    linked: search.linked !== '0',
  }
}

function decodeSmoothing(text: string | undefined): number {
  const value = Number(text ?? 0)
  return value > 0 && value < 1 ? value : 0
}

function decodeRange(text: string | undefined): Range | null {
  const parts = (text ?? '').split('~').map((part) => (part === '' ? Number.NaN : Number(part)))
  if (parts.length !== 2 || !parts.every(Number.isFinite) || parts[0] >= parts[1]) return null
  return [parts[0], parts[1]]
}
