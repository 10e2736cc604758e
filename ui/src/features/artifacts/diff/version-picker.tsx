import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import type { Artifact } from '~/api/types'
import { AliasChips } from '~/features/artifacts/alias-chip'
import { useNow } from '~/hooks/use-now'
import { formatRelative } from '~/lib/format-time'
import { Button } from '~/ui/button'
import { TextInput } from '~/ui/field'
import { Popover } from '~/ui/popover'
import styles from './version-picker.module.css'

interface VersionPickerProps {
  label: string
  value: string | null
  versions: readonly Artifact[]
  hasMore: boolean
  onMore: () => void
  onChoose: (version: string) => void
}

/** More than this, and one looks for a version by its name. */
const SEARCH_FROM = 8

/** Chooses one of many versions of a collection. */
export function VersionPicker(props: VersionPickerProps) {
  const { label, value, ...list } = props
  return (
    <Popover
      label={label}
      className={styles.panel}
      trigger={(trigger) => (
        <Button aria-label={`${label} ${value ?? ''}`.trim()} {...trigger}>
          {value ?? 'Choose a version'}
          <ChevronDown size={14} className={styles.chevron} />
        </Button>
      )}
    >
      {(close) => <VersionList {...list} value={value} onClose={close} />}
    </Popover>
  )
}

function VersionList(props: Omit<VersionPickerProps, 'label'> & { onClose: () => void }) {
  const { value, versions, hasMore, onMore, onChoose, onClose } = props
  const [search, setSearch] = useState('')
  const now = useNow()
  const wanted = search.trim().toLowerCase()
  const found = versions.filter(({ version, aliases }) =>
    [version, ...aliases].some((name) => name.toLowerCase().includes(wanted)),
  )
  return (
    <>
      {(versions.length > SEARCH_FROM || hasMore) && (
        <div className={styles.search}>
          <TextInput
            type="search"
            aria-label="Search versions"
            placeholder="Version or alias"
            autoFocus
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
      )}
      <ul className={styles.list}>
        {found.map(({ version, aliases, created_at }) => (
          <li key={version}>
            <button
              type="button"
              className={styles.choice}
              aria-current={version === value ? 'true' : undefined}
              onClick={() => {
                onChoose(version)
                onClose()
              }}
            >
              <span className={styles.version}>{version}</span>
              <AliasChips aliases={aliases} />
              <span className={styles.time}>{formatRelative(created_at, now)}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className={styles.none}>No such version{hasMore && ' among the newest'}</p>}
      {hasMore && (
        <Button look="ghost" className={styles.more} onClick={onMore}>
          Older versions
        </Button>
      )}
    </>
  )
}
