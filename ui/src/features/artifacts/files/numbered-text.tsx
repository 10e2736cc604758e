import styles from './numbered-text.module.css'

/** More lines than these are shown without numbers: an element for each would keep a browser busy. */
const MAX_LINES = 20_000

/** A text with the numbers of its lines, which are not part of what is selected and copied. */
export function NumberedText({ text }: { text: string }) {
  const lines = text.split('\n')
  // The last line ends with a line break too.
  if (lines.at(-1) === '') lines.pop()
  if (lines.length > MAX_LINES) return <pre className={styles.text}>{text}</pre>
  return (
    <pre className={styles.text} data-numbered style={{ '--digits': String(lines.length).length }}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text stay where they are
        <span key={index} className={styles.line}>
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}

declare module 'react' {
  interface CSSProperties {
    /** How many digits the highest line number has. */
    '--digits'?: number
  }
}
