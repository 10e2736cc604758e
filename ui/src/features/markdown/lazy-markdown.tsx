import { lazy, Suspense } from 'react'
import { Skeleton } from '~/ui/message'
import styles from './markdown-panel.module.css'

const MarkdownView = lazy(async () => ({ default: (await import('~/features/markdown/markdown-view')).MarkdownView }))

/** Markdown as formatted text, as soon as what formats it has come. */
export function LazyMarkdown({ text }: { text: string }) {
  return (
    <Suspense
      fallback={
        <div className={styles.loading}>
          <Skeleton height={40} />
        </div>
      }
    >
      <MarkdownView text={text} />
    </Suspense>
  )
}
