import { Button } from '~/ui/button'
import { CopyButton } from '~/ui/copy-button'
import { Dialog } from '~/ui/dialog'
import styles from './account.module.css'

/** The only time that a key is shown. */
export function NewKeyDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title="New API key" label="New API key" onClose={onClose}>
      <p className={styles.once}>Copy it now: it is stored as a hash only and cannot be shown again.</p>
      <div className={styles.secret}>
        <code>{secret}</code>
        <CopyButton text={secret} label="Copy key" />
      </div>
      <div className={styles.done}>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  )
}
