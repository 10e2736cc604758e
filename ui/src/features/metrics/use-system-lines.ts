import { type UseQueryResult, useQueries } from '@tanstack/react-query'
import { useCallback } from 'react'
import type { XAxis } from '~/api/types'
import { buildLines, type Line } from '~/charts/line'
import { paletteColor } from '~/charts/palette'
import type { Range } from '~/charts/range'
import type { KeySeries } from '~/charts/series'
import { bucketsFor, joinSeries, seriesQuery } from '~/features/metrics/series-queries'
import type { SystemChart } from '~/features/metrics/system-charts'
import { type ChartLines, type ChartRuns, widen } from '~/features/metrics/use-chart-lines'
import { useDark } from '~/hooks/use-theme'

/** The lines of a chart of what machines were busy with: one for each run, or for each member where there are several. */
export function useSystemLines(
  runs: ChartRuns,
  chart: SystemChart,
  x: XAxis,
  zoom: Range | null,
  width: number,
): ChartLines {
  const { members } = chart
  const dark = useDark()
  const count = (runs.settled.length + runs.live.length) * members.length
  const shape = { x, range: widen(zoom), buckets: bucketsFor(width, count) }
  const { project, looks } = runs
  const combine = useCallback(
    (answers: UseQueryResult<KeySeries>[]): ChartLines => {
      const lines = members.flatMap(({ name }, index): Line[] => {
        const data = joinSeries(answers[2 * index].data, answers[2 * index + 1].data)
        const own = data === undefined ? [] : buildLines(data, looks, 0, x.kind)
        if (members.length === 1) return own
        return own.map((line) => ({ ...line, run: `${line.run} ${name}`, name, color: paletteColor(index, dark) }))
      })
      const asked = answers.filter(
        (answer) => answer.fetchStatus !== 'idle' || answer.data !== undefined || answer.error,
      )
      return {
        lines,
        pending: asked.some((answer) => answer.isPending),
        error: lines.length === 0 ? (answers.find((answer) => answer.error !== null)?.error ?? null) : null,
        retry: () => {
          for (const answer of answers) if (answer.error !== null) void answer.refetch()
        },
        exact: false,
      }
    },
    [members, looks, x.kind, dark],
  )
  return useQueries({
    queries: members.flatMap(({ key }) => [
      seriesQuery(project, 'settled', { runs: runs.settled, ...shape }, key),
      seriesQuery(project, 'live', { runs: runs.live, ...shape }, key),
    ]),
    combine,
  })
}
