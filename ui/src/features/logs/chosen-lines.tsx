import { Copy, Link2, X } from 'lucide-react'
import type { Run } from '~/api/types'
import { type LineSelection, readRange } from '~/features/logs/console-queries'
import type { LineRange } from '~/features/logs/logs-view'
import { plainText } from '~/features/logs/sgr'
import { formatInteger, plural } from '~/lib/format-number'
import { Button, IconButton } from '~/ui/button'
import { copyText } from '~/ui/copy-button'
import { errorText } from '~/ui/message'
import { showToast } from '~/ui/toast-store'
import styles from './chosen-lines.module.css'

/** As many as one answer holds. */
const MAX_COPIED = 5_000

interface ChosenLinesProps {
  run: Run
  selection: LineSelection
  lines: LineRange
  onClose: () => void
}

/** What can be done with the lines that somebody points at. */
export function ChosenLines({ run, selection, lines: [first, last], onClose }: ChosenLinesProps) {
  const count = Math.min(MAX_COPIED, last - first + 1)
  const copy = async () => {
    try {
      const { lines } = await readRange(run, selection, first, count)
      await copyText(lines.map(({ text }) => plainText(text)).join('\n'))
      showToast(`${plural(lines.length, 'line')} copied`)
    } catch (error) {
      showToast(errorText(error), { kind: 'error' })
    }
  }
  return (
    <div className={styles.bar} role="toolbar" aria-label="Chosen lines">
      <span className={styles.name}>
        {first === last
          ? `Line ${formatInteger(first + 1)}`
          : `Lines ${formatInteger(first + 1)}–${formatInteger(last + 1)}`}
      </span>
      <Button look="ghost" onClick={() => void copy()}>
        <Copy size={13} /> {last - first + 1 > MAX_COPIED ? `Copy the first ${formatInteger(MAX_COPIED)}` : 'Copy'}
      </Button>
      <Button
        look="ghost"
        onClick={async () => {
          await copyText(window.location.href)
          showToast('Link copied')
        }}
      >
        <Link2 size={13} /> Copy link
      </Button>
      <IconButton label="Point at no line" onClick={onClose}>
        <X size={14} />
      </IconButton>
    </div>
  )
}
