import { useCallback, useRef } from 'react'
import { Button } from '~/ui/button'
import styles from './load-more.module.css'

interface LoadMoreProps {
  loading: boolean
  onMore: () => void
}

/** The end of a list that goes on: what is next is fetched when one gets here. Mount it only while there is more. */
export function LoadMore({ loading, onMore }: LoadMoreProps) {
  const latest = useRef(onMore)
  latest.current = onMore
  const watch = useCallback((element: HTMLElement | null) => {
    if (element === null) return undefined
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry.isIntersecting) latest.current()
      },
      { rootMargin: '400px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={watch} className={styles.more}>
      <Button look="ghost" disabled={loading} onClick={onMore}>
        {loading ? 'Reading on…' : 'Show more'}
      </Button>
    </div>
  )
}
