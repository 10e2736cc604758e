import { ChevronRight, Eye, EyeOff } from 'lucide-react'
import type { RunGroup } from '~/api/types'
import { formatJson } from '~/features/runs/run-values'
import { formatInteger } from '~/lib/format-number'
import { IconButton } from '~/ui/button'
import styles from './group-row.module.css'

interface GroupRowProps {
  group: RunGroup
  open: boolean
  onToggle: () => void
  onShow: (visible: boolean) => void
}

export function GroupRow({ group, open, onToggle, onShow }: GroupRowProps) {
  const name = group.value === null ? 'none' : formatJson(group.value)
  return (
    <div className={styles.row}>
      <button type="button" className={styles.toggle} aria-expanded={open} onClick={onToggle}>
        <ChevronRight size={14} className={styles.chevron} />
        <span className={styles.name} data-none={group.value === null || undefined}>
          {name}
        </span>
        <span className={styles.count}>{formatInteger(group.run_count)}</span>
        {group.running_count > 0 && (
          <span className={styles.running}>{formatInteger(group.running_count)} running</span>
        )}
      </button>
      <IconButton label={`Show the runs of ${name} on the charts`} onClick={() => onShow(true)}>
        <Eye size={14} />
      </IconButton>
      <IconButton label={`Hide the runs of ${name}`} onClick={() => onShow(false)}>
        <EyeOff size={14} />
      </IconButton>
    </div>
  )
}
