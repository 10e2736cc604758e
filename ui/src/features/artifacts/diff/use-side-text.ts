import { useQuery } from '@tanstack/react-query'
import type { Artifact, ArtifactEntry } from '~/api/types'
import { entryTextQuery, TEXT_BYTES } from '~/features/artifacts/files/entry-queries'

/** A file of one of two versions. */
export interface Side {
  artifact: Artifact
  /** `null`: this version has no such file. */
  entry: ArtifactEntry | null
}

interface SideText {
  /** Empty where there is no such file; `undefined` as long as it is not here. */
  text: string | undefined
  error: unknown
  retry: () => void
}

const NO_ENTRY: ArtifactEntry = {
  path: '',
  size_bytes: 0,
  digest: '',
  sha256: null,
  reference: null,
  extra: {},
  media_type: '',
}

/** The beginning of a file as text. */
export function useSideText({ artifact, entry }: Side, maxBytes = TEXT_BYTES, enabled = true): SideText {
  const query = useQuery({
    ...entryTextQuery(artifact, entry ?? NO_ENTRY, maxBytes),
    enabled: enabled && entry !== null,
  })
  return { text: entry === null ? '' : query.data, error: query.error, retry: () => void query.refetch() }
}
