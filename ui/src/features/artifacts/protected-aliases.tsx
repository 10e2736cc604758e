import { Lock } from 'lucide-react'
import type { Collection } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { AliasChip } from '~/features/artifacts/alias-chip'
import { useUpdateCollection } from '~/features/artifacts/use-artifact-changes'
import { ChipAdder, ChipRemover } from '~/ui/chip-editor'
import { Panel } from '~/ui/panel'
import styles from './protected-aliases.module.css'

/** Aliases that nobody moves or removes by mistake. */
export function ProtectedAliases({ collection }: { collection: Collection }) {
  const update = useUpdateCollection(collection)
  const mayWrite = useMayWrite(collection.entity)
  const names = collection.protected_aliases
  const change = (protected_aliases: string[]) => update.mutate({ protected_aliases })
  return (
    <Panel title="Protected aliases">
      <div className={styles.body}>
        <p className={styles.text}>Not moved, removed or deleted before they are taken off this list.</p>
        {/* biome-ignore lint/a11y/useSemanticElements: chips in a line, not a form */}
        <div className={styles.chips} role="group" aria-label="Protected aliases">
          {names.map((alias) => (
            <AliasChip key={alias} alias={alias} isProtected>
              {mayWrite && (
                <ChipRemover
                  label={`Protect ${alias} no more`}
                  onRemove={() => change(names.filter((each) => each !== alias))}
                />
              )}
            </AliasChip>
          ))}
          {mayWrite ? (
            <ChipAdder
              noun="alias"
              onAdd={(alias) => {
                if (!names.includes(alias)) change([...names, alias])
              }}
            />
          ) : (
            names.length === 0 && (
              <span className={styles.none}>
                <Lock size={12} /> none
              </span>
            )
          )}
        </div>
      </div>
    </Panel>
  )
}
