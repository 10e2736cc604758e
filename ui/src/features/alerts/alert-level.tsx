import { Info, OctagonAlert, TriangleAlert } from 'lucide-react'
import type { AlertLevel } from '~/api/types'
import styles from './alert-level.module.css'

const LEVELS = {
  INFO: { label: 'Info', Icon: Info },
  WARN: { label: 'Warning', Icon: TriangleAlert },
  ERROR: { label: 'Error', Icon: OctagonAlert },
} as const

export function levelLabel(level: AlertLevel): string {
  return LEVELS[level].label
}

/** How grave an alert is: by shape and colour, and in words for those who cannot see either. */
export function AlertIcon({ level, size = 16 }: { level: AlertLevel; size?: number }) {
  const { label, Icon } = LEVELS[level]
  return <Icon size={size} className={styles.icon} data-level={level} role="img" aria-label={label} />
}

export function AlertLevelText({ level }: { level: AlertLevel }) {
  return (
    <span className={styles.text} data-level={level}>
      {levelLabel(level)}
    </span>
  )
}
