import { renderMarkdown } from '~/features/run/render-markdown'
import styles from './notes-view.module.css'

/** Notes as formatted text. A file of its own, so that markdown and maths are fetched only where notes are. */
export function NotesView({ text }: { text: string }) {
  // biome-ignore lint/security/noDangerouslySetInnerHtml: renderMarkdown lets no foreign HTML through, and tests say so
  return <div className={styles.notes} dangerouslySetInnerHTML={{ __html: renderMarkdown(text) }} />
}
