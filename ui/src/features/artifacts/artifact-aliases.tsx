import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import type { Artifact, CollectionAlias } from '~/api/types'
import { useMayWrite } from '~/features/account/use-may-write'
import { AliasChip, sortAliases } from '~/features/artifacts/alias-chip'
import { collectionQuery } from '~/features/artifacts/artifact-queries'
import { useUpdateArtifact } from '~/features/artifacts/use-artifact-changes'
import { ChipRemover } from '~/ui/chip-editor'
import { TextInput } from '~/ui/field'
import { Popover } from '~/ui/popover'
import styles from './artifact-aliases.module.css'

/** The aliases of a version: a cross takes one away, the button after them adds one or moves one here. */
export function ArtifactAliases({ artifact }: { artifact: Artifact }) {
  const { entity, project, collection, version } = artifact
  const { data } = useQuery(collectionQuery(entity, project, collection))
  const update = useUpdateArtifact(artifact)
  const mayWrite = useMayWrite(entity)
  const protectedAliases = data?.protected_aliases ?? []
  const elsewhere = (data?.aliases ?? []).filter((each) => each.version !== version && each.alias !== 'latest')
  return (
    // biome-ignore lint/a11y/useSemanticElements: chips in a line, not a form
    <span className={styles.aliases} role="group" aria-label="Aliases">
      {sortAliases(artifact.aliases).map((alias) => (
        <AliasChip key={alias} alias={alias} isProtected={protectedAliases.includes(alias)}>
          {mayWrite && alias !== 'latest' && (
            <ChipRemover label={`Remove alias ${alias}`} onRemove={() => update.mutate({ remove_aliases: [alias] })} />
          )}
        </AliasChip>
      ))}
      {mayWrite && (
        <AliasAdder
          elsewhere={elsewhere}
          protectedAliases={protectedAliases}
          version={version}
          onAdd={(alias) => update.mutate({ add_aliases: [alias] })}
        />
      )}
    </span>
  )
}

interface AliasAdderProps {
  /** Aliases of other versions, which would move. */
  elsewhere: readonly CollectionAlias[]
  protectedAliases: readonly string[]
  version: string
  onAdd: (alias: string) => void
}

function AliasAdder({ elsewhere, protectedAliases, version, onAdd }: AliasAdderProps) {
  const [text, setText] = useState('')
  return (
    <Popover
      label="Add an alias"
      trigger={(props) => (
        <button type="button" className={styles.add} {...props}>
          <Plus size={12} /> Alias
        </button>
      )}
    >
      {(close) => {
        const add = (alias: string) => {
          close()
          setText('')
          onAdd(alias)
        }
        return (
          <form
            className={styles.form}
            onSubmit={(event) => {
              event.preventDefault()
              if (text.trim() !== '') add(text.trim())
            }}
          >
            <TextInput
              autoFocus
              aria-label="New alias"
              placeholder="New alias, then Enter"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            {elsewhere.length > 0 && <p className={styles.title}>Move to {version}</p>}
            {elsewhere.map(({ alias, version: at }) => (
              <button
                key={alias}
                type="button"
                className={styles.move}
                aria-label={`Move ${alias} from ${at}`}
                onClick={() => add(alias)}
              >
                <AliasChip alias={alias} isProtected={protectedAliases.includes(alias)} />
                <span className={styles.at}>now {at}</span>
              </button>
            ))}
          </form>
        )
      }}
    </Popover>
  )
}
