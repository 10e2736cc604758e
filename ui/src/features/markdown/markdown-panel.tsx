import { useState } from 'react'
import { LazyMarkdown } from '~/features/markdown/lazy-markdown'
import { Button } from '~/ui/button'
import { Segmented } from '~/ui/field'
import { Panel } from '~/ui/panel'
import styles from './markdown-panel.module.css'

interface MarkdownPanelProps {
  title: string
  /** What the text is called within a sentence: `notes`. */
  noun: string
  text: string
  /** What stands there while there is no text. */
  empty: string
  /** Keeps another text; `done` is to be called when it is kept. Absent where the reader may not write. */
  onSave?: (text: string, done: () => void) => void
  saving: boolean
}

/** A text that is shown formatted and written as markdown. */
export function MarkdownPanel({ title, noun, text, empty, onSave, saving }: MarkdownPanelProps) {
  const [draft, setDraft] = useState<string | null>(null)
  const [mode, setMode] = useState<'write' | 'preview'>('write')
  if (draft === null || onSave === undefined) {
    return (
      <Panel
        title={title}
        aside={
          onSave !== undefined && (
            <Button
              look="ghost"
              onClick={() => {
                setMode('write')
                setDraft(text)
              }}
            >
              {text === '' ? `Add ${noun}` : 'Edit'}
            </Button>
          )
        }
      >
        {text === '' ? <p className={styles.empty}>{empty}</p> : <LazyMarkdown text={text} />}
      </Panel>
    )
  }
  return (
    <Panel
      title={title}
      aside={
        <Segmented
          label={`${title} editor`}
          value={mode}
          options={[
            { value: 'write', label: 'Write' },
            { value: 'preview', label: 'Preview' },
          ]}
          onChange={setMode}
        />
      }
    >
      {mode === 'write' ? (
        <textarea
          autoFocus
          className={styles.text}
          aria-label={title}
          value={draft}
          rows={10}
          onChange={(event) => setDraft(event.target.value)}
        />
      ) : (
        <LazyMarkdown text={draft} />
      )}
      <footer className={styles.footer}>
        <Button onClick={() => setDraft(null)}>Cancel</Button>
        <Button look="primary" disabled={saving} onClick={() => onSave(draft, () => setDraft(null))}>
          Save {noun}
        </Button>
      </footer>
    </Panel>
  )
}
