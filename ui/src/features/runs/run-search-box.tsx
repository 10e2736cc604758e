import { Search, X } from 'lucide-react'
import { type RefObject, useRef } from 'react'
import { ApiError } from '~/api/client'
import { FilterHelp } from '~/features/runs/filter-help'
import { parseRunQuery } from '~/features/runs/run-query'
import { useDraft } from '~/hooks/use-draft'
import { useHotkey } from '~/hooks/use-hotkey'
import { IconButton } from '~/ui/button'
import { TextInput } from '~/ui/field'
import { errorText } from '~/ui/message'
import styles from './run-search-box.module.css'

interface RunSearchBoxProps {
  query: string
  error: Error | null
  onChange: (query: string) => void
}

const SETTLE_MILLIS = 250

/** Takes text or a filter expression; what the server says of a wrong expression stands right below. */
export function RunSearchBox({ query, error, onChange }: RunSearchBoxProps) {
  const input = useRef<HTMLInputElement>(null)
  const [draft, setDraft] = useDraft(query, onChange, SETTLE_MILLIS)
  useFocusKey(input)
  const isFilter = parseRunQuery(draft).filter !== null
  const refused = error instanceof ApiError && error.kind === 'invalid' ? errorText(error) : null
  return (
    <div className={styles.box}>
      <Search size={14} className={styles.icon} />
      <TextInput
        ref={input}
        type="search"
        className={styles.input}
        data-mono={isFilter || undefined}
        aria-label="Search runs"
        aria-invalid={refused !== null}
        placeholder="Search or filter: config.lr > 0.001"
        value={draft}
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') input.current?.blur()
        }}
      />
      {isFilter && <span className={styles.kind}>filter</span>}
      {draft === '' ? (
        <FilterHelp
          className={styles.clear}
          onPick={(filter) => {
            setDraft(filter)
            input.current?.focus()
          }}
        />
      ) : (
        <IconButton label="Clear search" className={styles.clear} onClick={() => setDraft('')}>
          <X size={13} />
        </IconButton>
      )}
      {refused !== null && (
        <p className={styles.error} role="alert">
          {refused}
        </p>
      )}
    </div>
  )
}

function useFocusKey(input: RefObject<HTMLInputElement | null>): void {
  const focus = useRef(() => input.current?.focus())
  useHotkey('/', focus.current)
}
