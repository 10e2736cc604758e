import type { ReactNode } from 'react'
import styles from '~/features/metrics/chart-body.module.css'
import type { useHistograms } from '~/features/metrics/use-histograms'
import { Button } from '~/ui/button'
import { errorText, Skeleton } from '~/ui/message'

interface HistogramBodyProps {
  state: ReturnType<typeof useHistograms>
  title: string
  children: ReactNode
}

/** The heat map, or why there is none. */
export function HistogramBody({ state, title, children }: HistogramBodyProps) {
  const { model, error, pending, retry } = state
  return (
    <div className={styles.body}>
      {model.histograms.length > 0 ? (
        children
      ) : (
        <div className={styles.empty}>
          {error !== null ? (
            <div role="alert" className={styles.error}>
              <span>{errorText(error)}</span>
              <Button onClick={retry}>Try again</Button>
            </div>
          ) : pending ? (
            <Skeleton height={96} width="88%" />
          ) : (
            <span>{`No ${model.zoom === null ? 'histograms' : 'histograms in this range'} of ${title} in this run`}</span>
          )}
        </div>
      )}
    </div>
  )
}
