import { Lock } from 'lucide-react'
import type { ReactNode } from 'react'
import { aliasColor } from '~/lib/alias-color'
import styles from './alias-chip.module.css'

interface AliasChipProps {
  alias: string
  /** Nobody moves or removes it before it is taken off the list of protected ones. */
  isProtected?: boolean
  /** What stands after the name, such as a button. */
  children?: ReactNode
}

/** An alias in its colour. */
export function AliasChip({ alias, isProtected = false, children }: AliasChipProps) {
  return (
    <span className={styles.chip} data-color={aliasColor(alias) ?? 'none'} title={alias}>
      {isProtected && <Lock size={10} className={styles.lock} aria-label="Protected" />}
      <span className={styles.name}>{alias}</span>
      {children}
    </span>
  )
}

/** Aliases side by side, `latest` first, then by name. */
export function AliasChips({
  aliases,
  protectedAliases = [],
}: {
  aliases: readonly string[]
  protectedAliases?: readonly string[]
}) {
  return (
    <span className={styles.chips}>
      {sortAliases(aliases).map((alias) => (
        <AliasChip key={alias} alias={alias} isProtected={protectedAliases.includes(alias)} />
      ))}
    </span>
  )
}

export function sortAliases(aliases: readonly string[]): string[] {
  return [...aliases].sort((a, b) => Number(b === 'latest') - Number(a === 'latest') || (a < b ? -1 : 1))
}
