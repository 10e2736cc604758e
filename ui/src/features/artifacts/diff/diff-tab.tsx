import type { Artifact } from '~/api/types'
import { Message } from '~/ui/message'

interface DiffTabProps {
  artifact: Artifact
  /** The version it is compared with; `null`: whichever comes before it. */
  from: string | null
  onFrom: (version: string) => void
}

/** What is not the same in two versions of a collection. */
export function DiffTab({ artifact, from }: DiffTabProps) {
  return <Message title={`${from ?? 'the version before'} and ${artifact.version}`} />
}
