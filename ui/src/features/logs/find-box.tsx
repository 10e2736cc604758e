import { CaseSensitive, ChevronDown, ChevronUp, ListFilter, Regex, Search } from 'lucide-react'
import { type KeyboardEvent, useCallback, useRef } from 'react'
import type { LogsView } from '~/features/logs/logs-view'
import type { Finds } from '~/features/logs/use-finds'
import { useDraft } from '~/hooks/use-draft'
import { useHotkey } from '~/hooks/use-hotkey'
import { formatInteger } from '~/lib/format-number'
import { IconButton } from '~/ui/button'
import { TextInput } from '~/ui/field'
import { errorText } from '~/ui/message'
import styles from './find-box.module.css'

interface FindBoxProps {
  view: LogsView
  change: (part: Partial<LogsView>) => void
  finds: Finds
  /** Goes to the next line that the search of a view finds, or to the one before. */
  onFind: (view: LogsView, direction: 1 | -1) => void
}

const SETTLE_MILLIS = 300
/** A server takes 1,000 bytes: four for each at most. */
const MAX_CHARACTERS = 250

/** Searches in what was printed: how many lines, the next and the one before, or only those. */
export function FindBox({ view, change, finds, onFind }: FindBoxProps) {
  const input = useRef<HTMLInputElement>(null)
  const [draft, setDraft] = useDraft(view.search, (search) => change({ search }), SETTLE_MILLIS)
  useHotkey(
    '/',
    useCallback(() => input.current?.select(), []),
  )
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter') {
      event.preventDefault()
      if (draft !== view.search) change({ search: draft })
      onFind({ ...view, search: draft }, event.shiftKey ? -1 : 1)
    } else if (event.key === 'Escape') {
      if (draft === '') input.current?.blur()
      else setDraft('')
    }
  }
  const { total, rank, error } = finds
  const none = view.search === '' || total === 0
  return (
    <div className={styles.find}>
      <div className={styles.box} data-wrong={error !== null || undefined}>
        <Search size={14} className={styles.icon} />
        <TextInput
          ref={input}
          type="search"
          className={styles.input}
          aria-label="Search the console"
          aria-invalid={error !== null}
          placeholder="Search"
          spellCheck={false}
          maxLength={MAX_CHARACTERS}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={keys}
        />
        <span className={styles.found} role="status" title={error === null ? undefined : errorText(error)}>
          {view.search === '' ? '' : error !== null ? errorText(error) : foundText(total, rank)}
        </span>
        <IconButton
          label="Match case"
          active={view.caseSensitive}
          onClick={() => change({ caseSensitive: !view.caseSensitive })}
        >
          <CaseSensitive size={15} />
        </IconButton>
        <IconButton label="Regular expression" active={view.regex} onClick={() => change({ regex: !view.regex })}>
          <Regex size={14} />
        </IconButton>
      </div>
      <IconButton label="Line found before (Shift+Enter)" disabled={none} onClick={() => onFind(view, -1)}>
        <ChevronUp size={15} />
      </IconButton>
      <IconButton label="Next line found (Enter)" disabled={none} onClick={() => onFind(view, 1)}>
        <ChevronDown size={15} />
      </IconButton>
      <IconButton
        label="Show only lines found"
        active={view.onlyFound}
        onClick={() => change({ onlyFound: !view.onlyFound })}
      >
        <ListFilter size={15} />
      </IconButton>
    </div>
  )
}

function foundText(total: number | undefined, rank: number | null): string {
  if (total === undefined) return '…'
  if (total === 0) return 'none'
  return rank === null ? formatInteger(total) : `${formatInteger(rank + 1)} of ${formatInteger(total)}`
}
