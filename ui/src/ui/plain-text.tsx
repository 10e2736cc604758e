import { describeHidden, splitHidden } from '~/lib/hidden-characters'
import styles from './plain-text.module.css'

/** A name from elsewhere: characters that nobody would see, or that turn the text around them, are shown as signs. */
export function PlainText({ text }: { text: string }) {
  const parts = splitHidden(text)
  if (parts.length === 1 && parts[0].kind === 'text') return text
  return parts.map((part, index) =>
    part.kind === 'text' ? (
      part.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text stay where they are
      <span key={index} className={styles.sign} title={describeHidden(part.character)}>
        {part.label}
      </span>
    ),
  )
}
