import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import type { MetricKey, XAxis } from '~/api/types'
import { keyLabel } from '~/lib/key-label'
import { Button } from '~/ui/button'
import { Choice, Choices } from '~/ui/choices'
import { Checkbox, TextInput } from '~/ui/field'
import { MenuLine, Popover } from '~/ui/popover'
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
  /** Whether charts whose metric has an axis of its own are drawn over that in place of the step. */
  ownAxes: boolean
  onChange: (x: XAxis) => void
  onOwnAxes: (ownAxes: boolean) => void
}

export function XAxisMenu({ keys, x, ownAxes, onChange, onOwnAxes }: XAxisMenuProps) {
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
          ownAxes={ownAxes}
          onChange={(next) => {
            onChange(next)
            close()
          }}
          onOwnAxes={onOwnAxes}
        />
      )}
    </Popover>
  )
}

const MAX_SHOWN = 40

function XAxisChoices({ keys, x, ownAxes, onChange, onOwnAxes }: XAxisMenuProps) {
  const [search, setSearch] = useState('')
  const found = keys.filter(
    ({ key, kind }) => kind !== 'other' && keyLabel(key).toLowerCase().includes(search.toLowerCase()),
  )
  return (
    <div className={styles.choices}>
      <Choices label="X axis">
        {PLAIN.map((each) => (
          <Choice key={each.label} chosen={each.x.kind === x.kind} onChoose={() => onChange(each.x)}>
            {each.label}
          </Choice>
        ))}
      </Choices>
      {keys.some(({ step_metric }) => step_metric !== null) && (
        <Checkbox checked={ownAxes} disabled={x.kind !== 'step'} onChange={(event) => onOwnAxes(event.target.checked)}>
          Metrics over their own axis
        </Checkbox>
      )}
      <MenuLine />
      <TextInput
        type="search"
        aria-label="Search metrics"
        placeholder="Another metric"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <Choices label="Metric as x axis" className={styles.metrics}>
        {found.slice(0, MAX_SHOWN).map(({ key }) => (
          <Choice
            key={key}
            chosen={x.kind === 'metric' && x.key === key}
            onChoose={() => onChange({ kind: 'metric', key })}
          >
            {keyLabel(key)}
          </Choice>
        ))}
      </Choices>
    </div>
  )
}
