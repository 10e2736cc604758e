import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import type { MetricKey, XAxis } from '~/api/types'
import { keyLabel } from '~/lib/key-label'
import { Button } from '~/ui/button'
import { TextInput } from '~/ui/field'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'
import styles from './x-axis-menu.module.css'

const PLAIN: { x: XAxis; label: string }[] = [
  { x: { kind: 'step' }, label: 'Step' },
  { x: { kind: 'relative_time' }, label: 'Relative time' },
  { x: { kind: 'wall_time' }, label: 'Wall time' },
]

function xLabel(x: XAxis): string {
  return x.kind === 'metric' ? keyLabel(x.key) : (PLAIN.find((each) => each.x.kind === x.kind)?.label ?? x.kind)
}

interface XAxisMenuProps {
  keys: readonly MetricKey[]
  x: XAxis
  onChange: (x: XAxis) => void
}

export function XAxisMenu({ keys, x, onChange }: XAxisMenuProps) {
  return (
    <Popover
      label="X axis"
      trigger={(props) => (
        <Button aria-label={`X axis: ${xLabel(x)}`} style={{ height: 32 }} {...props}>
          <span className={styles.axis}>x</span>
          <span className={styles.name}>{xLabel(x)}</span>
          <ChevronDown size={13} />
        </Button>
      )}
    >
      {(close) => (
        <XAxisChoices
          keys={keys}
          x={x}
          onChange={(next) => {
            onChange(next)
            close()
          }}
        />
      )}
    </Popover>
  )
}

const MAX_SHOWN = 40

function XAxisChoices({ keys, x, onChange }: XAxisMenuProps) {
  const [search, setSearch] = useState('')
  const found = keys.filter(
    ({ key, kind }) => kind !== 'other' && keyLabel(key).toLowerCase().includes(search.toLowerCase()),
  )
  return (
    <div className={styles.choices}>
      {PLAIN.map((each) => (
        <MenuItem key={each.label} checked={each.x.kind === x.kind} onClick={() => onChange(each.x)}>
          {each.label}
        </MenuItem>
      ))}
      <MenuLine />
      <TextInput
        type="search"
        aria-label="Search metrics"
        placeholder="Another metric"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className={styles.metrics}>
        {found.slice(0, MAX_SHOWN).map(({ key }) => (
          <MenuItem
            key={key}
            checked={x.kind === 'metric' && x.key === key}
            onClick={() => onChange({ kind: 'metric', key })}
          >
            {keyLabel(key)}
          </MenuItem>
        ))}
      </div>
    </div>
  )
}
