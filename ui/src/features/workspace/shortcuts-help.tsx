import { Keyboard } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useHotkey } from '~/hooks/use-hotkey'
import { IconButton } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import styles from './shortcuts-help.module.css'

const SHORTCUTS: [keys: string, meaning: string][] = [
  ['/', 'Search runs or lines'],
  ['?', 'Show these shortcuts'],
  ['Esc', 'Close a dialog or menu, leave the search'],
  ['Drag on a chart', 'Zoom in: every step of the range is read'],
  ['Double click on a chart', 'Reset the zoom'],
  ['Alt + click on an eye', 'Show only this run'],
  ['/ Enter Shift+Enter', 'Logs: search, next line found, the one before'],
  ['g G f', 'Logs: first line, last line, stay at the end'],
  ['Shift + click on a number', 'Logs: choose lines up to this one'],
  ['← →', 'Width of the run list, when its edge is focused'],
]

export function ShortcutsHelp() {
  const [open, setOpen] = useState(false)
  const show = useCallback(() => setOpen(true), [])
  useHotkey('?', show)
  return (
    <>
      <IconButton label="Keyboard shortcuts" onClick={show} className={styles.button}>
        <Keyboard size={16} />
      </IconButton>
      {open && (
        <Dialog title="Keyboard and mouse" label="Keyboard shortcuts" onClose={() => setOpen(false)}>
          <dl className={styles.list}>
            {SHORTCUTS.map(([keys, meaning]) => (
              <div key={keys} className={styles.row}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </Dialog>
      )}
    </>
  )
}
