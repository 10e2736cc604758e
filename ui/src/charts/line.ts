import type { XKind } from '~/charts/axis-format'
import type { KeySeries, SeriesColumns } from '~/charts/series'
import { smooth } from '~/charts/smooth'

/** What is drawn of one run. */
export interface Line {
  /** `entity/project/id`. */
  run: string
  name: string
  color: string
  columns: SeriesColumns
  /** The line itself: the mean of each bucket, smoothed when smoothing is on. */
  y: Float64Array
  /** The line before smoothing; `null` when smoothing is off. */
  original: Float64Array | null
  /** Up to this x the points are of the run that this one was forked from; `null` when they are not, or cannot be told. */
  inheritedUntil: number | null
}

export interface RunLook {
  name: string
  color: string
  /** When the run began, Unix seconds. */
  createdAt: number
  /** Last step of the run that this one begins with; `null` when it begins with none. */
  forkStep: number | null
}

/** Where a run's own part begins along an axis: only steps and times tell. */
export function inheritedUntil({ forkStep, createdAt }: RunLook, xKind: XKind): number | null {
  if (forkStep === null) return null
  if (xKind === 'step') return forkStep
  return xKind === 'wall_time' ? createdAt : null
}

/** The lines of a chart in the order of `looks`, which is the order of the list: the first one is drawn on top. */
export function buildLines(
  data: KeySeries,
  looks: ReadonlyMap<string, RunLook>,
  smoothing: number,
  xKind: XKind,
): Line[] {
  const span = xSpan(data)
  const byRun = new Map(data.series.map((series) => [series.run, series]))
  const lines: Line[] = []
  for (const [run, look] of looks) {
    const series = byRun.get(run)
    if (series === undefined) continue
    const { x, mean } = series.columns
    const smoothed = smoothing > 0 ? smooth(x, mean, smoothing, span) : null
    lines.push({
      run,
      name: look.name,
      color: look.color,
      columns: series.columns,
      y: smoothed ?? mean,
      original: smoothed === null ? null : mean,
      inheritedUntil: inheritedUntil(look, xKind),
    })
  }
  return lines
}

function xSpan(data: KeySeries): number {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const series of data.series) {
    const { x } = series.columns
    if (x.length === 0) continue
    first = Math.min(first, x[0])
    last = Math.max(last, x[x.length - 1])
  }
  return last - first
}
