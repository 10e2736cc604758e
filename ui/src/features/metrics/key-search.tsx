import { Search } from 'lucide-react'
import { keyMatcher } from '~/features/metrics/sections'
import { useDraft } from '~/hooks/use-draft'
import { plural } from '~/lib/format-number'
import { TextInput } from '~/ui/field'
import styles from './key-search.module.css'

const SETTLE_MILLIS = 200

/** Finds charts by name or by a regular expression. */
export function KeySearch({
  search,
  found,
  onChange,
}: {
  search: string
  found: number
  onChange: (search: string) => void
}) {
  const [draft, setDraft] = useDraft(search, onChange, SETTLE_MILLIS)
  const broken = keyMatcher(draft) === null
  return (
    <div className={styles.box}>
      <Search size={14} className={styles.icon} />
      <TextInput
        type="search"
        className={styles.input}
        aria-label="Search charts"
        aria-invalid={broken}
        placeholder="Search charts, or a regex"
        spellCheck={false}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      <span className={styles.found}>{broken ? 'unfinished regex' : plural(found, 'chart')}</span>
    </div>
  )
}
