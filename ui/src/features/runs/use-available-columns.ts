import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { keysQuery, runsQuery } from '~/api/queries'
import { compareNaturally } from '~/features/metrics/sections'
import { isSystemKey } from '~/lib/key-label'

const SAMPLE_RUNS = 50

export interface AvailableColumns {
  config: string[]
  summary: string[]
}

/** Fields that the list can show, sort and group by: the config of recent runs and every metric. */
export function useAvailableColumns(project: string): AvailableColumns {
  const sample = useQuery({
    ...runsQuery({ project, columns: ['config.*'], limit: SAMPLE_RUNS }),
    staleTime: 60_000,
  })
  const keys = useQuery(keysQuery(project, null))
  return useMemo(() => {
    const config = new Set<string>()
    for (const run of sample.data?.runs ?? []) for (const field of Object.keys(run.values)) config.add(field)
    return {
      config: [...config].sort(compareNaturally),
      summary: (keys.data?.keys ?? []).filter(({ key }) => !isSystemKey(key)).map(({ key }) => `summary.${key}`),
    }
  }, [sample.data, keys.data])
}
