import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { Artifact } from '~/api/types'
import { collectionsQuery } from '~/features/artifacts/artifact-queries'
import { useLinkArtifact } from '~/features/artifacts/use-artifact-changes'
import { Button } from '~/ui/button'
import { Choice, Choices } from '~/ui/choices'
import { Dialog, DialogFooter } from '~/ui/dialog'
import { Field } from '~/ui/field'
import { errorText } from '~/ui/message'
import { showToast } from '~/ui/toast-store'
import styles from './link-dialog.module.css'

/** What a registry is called where nobody has one yet. */
const FIRST_REGISTRY = 'registry'

/** Links a version into a collection of a registry, one that is there or a new one. */
export function LinkDialog({ artifact, onClose }: { artifact: Artifact; onClose: () => void }) {
  const { entity, source } = artifact
  const navigate = useNavigate()
  const link = useLinkArtifact(source)
  const request = { entity, project: null, kind: 'registry', type: artifact.type } as const
  const query = useInfiniteQuery(collectionsQuery(request))
  const known = query.data?.pages.flatMap((page) => page.collections) ?? []
  const [named, setProject] = useState<string | null>(null)
  const project = named ?? known[0]?.project ?? FIRST_REGISTRY
  const [collection, setCollection] = useState(source.collection)
  const [aliases, setAliases] = useState('')
  const target = known.find((each) => each.project === project && each.name === collection)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const names = aliases
      .split(',')
      .map((alias) => alias.trim())
      .filter(Boolean)
    link.mutate(
      { project: project.trim(), collection: collection.trim(), aliases: names },
      {
        onSuccess: (linked) => {
          onClose()
          showToast(`Linked as ${linked.collection}:${linked.version}.`)
          void navigate({
            to: '/$entity/$project/artifacts/$collection/$version',
            params: {
              entity: linked.entity,
              project: linked.project,
              collection: linked.collection,
              version: linked.version,
            },
          })
        },
      },
    )
  }
  return (
    <Dialog title="Link to registry" label="Link to registry" onClose={onClose}>
      <form onSubmit={submit} className={styles.form}>
        <p className={styles.text}>
          The registry shows <strong>{`${source.collection}:${source.version}`}</strong> under a name and number of its
          own. Nothing is copied.
        </p>
        {known.length > 0 && (
          <Choices label="Registry collections" className={styles.choices}>
            {known.map((each) => (
              <Choice
                key={`${each.project}/${each.name}`}
                chosen={each === target}
                onChoose={() => {
                  setProject(each.project)
                  setCollection(each.name)
                }}
              >
                <span className={styles.project}>{each.project} /</span> {each.name}
              </Choice>
            ))}
          </Choices>
        )}
        <div className={styles.names}>
          <Field
            label="Registry"
            value={project}
            autoComplete="off"
            required
            onChange={(event) => setProject(event.target.value)}
          />
          <Field
            label="Collection"
            value={collection}
            autoComplete="off"
            required
            hint={target === undefined ? 'A new one.' : undefined}
            onChange={(event) => setCollection(event.target.value)}
          />
        </div>
        <Field
          label="Aliases"
          hint="Stages such as staging or production, separated by commas."
          placeholder="staging"
          value={aliases}
          autoComplete="off"
          onChange={(event) => setAliases(event.target.value)}
        />
        {link.error !== null && (
          <p className={styles.error} role="alert">
            {errorText(link.error)}
          </p>
        )}
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={link.isPending}>
            Link
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
