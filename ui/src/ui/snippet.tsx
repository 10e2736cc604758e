import { CopyButton } from '~/ui/copy-button'
import styles from './snippet.module.css'

/** Code to take along. */
export function Snippet({ label, code }: { label: string; code: string }) {
  return (
    <div className={styles.snippet}>
      <pre>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={label} className={styles.copy} />
    </div>
  )
}
