import { renderMarkdown } from '~/features/markdown/render-markdown'
import styles from './markdown-view.module.css'

/** Markdown as formatted text. A file of its own, so that markdown and maths are fetched only where there is some. */
export function MarkdownView({ text }: { text: string }) {
  // biome-ignore lint/security/noDangerouslySetInnerHtml: renderMarkdown lets no foreign HTML through, and tests say so
  return <div className={styles.markdown} dangerouslySetInnerHTML={{ __html: renderMarkdown(text) }} />
}
