import type { Artifact } from '~/api/types'
import { Message } from '~/ui/message'

/** What led to a version and what came of it, as a graph. */
export function LineageTab({ artifact }: { artifact: Artifact }) {
  return <Message title={`Lineage of ${artifact.collection}:${artifact.version}`} />
}
