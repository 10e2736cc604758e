import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { sessionQuery } from '~/api/queries'
import type { Artifact } from '~/api/types'
import { commandLineCode, curlCode, pythonCode } from '~/features/artifacts/usage-code'
import { readStored, writeStored } from '~/lib/storage'
import { Segmented } from '~/ui/field'
import { Panel } from '~/ui/panel'
import { Snippet } from '~/ui/snippet'
import styles from './usage-card.module.css'

type Way = 'python' | 'cli' | 'curl'
const WAYS = [
  { value: 'python', label: 'Python' },
  { value: 'cli', label: 'CLI' },
  { value: 'curl', label: 'curl' },
] as const
const HINTS: Record<Way, string> = {
  python: 'Notes that the run used this version, and fetches its files.',
  cli: 'Lists the files, and fetches them into a folder.',
  curl: 'The list of files as JSON lines. The preview of a file has a command for that file.',
}

/** How to get at a version from elsewhere. */
export function UsageCard({ artifact }: { artifact: Artifact }) {
  const [way, setWay] = useState<Way>(
    () => WAYS.find(({ value }) => value === readStored<string>('usage', 'python'))?.value ?? 'python',
  )
  const { data: session } = useQuery(sessionQuery())
  const code = {
    python: () => pythonCode(artifact),
    cli: () => commandLineCode(artifact),
    curl: () => curlCode(artifact, null, window.location.origin, session?.login_required ?? false),
  }[way]()
  return (
    <Panel
      title="Use this artifact"
      aside={
        <Segmented
          label="How"
          value={way}
          options={WAYS}
          onChange={(next) => {
            setWay(next)
            writeStored('usage', next)
          }}
        />
      }
    >
      <div className={styles.body}>
        <Snippet label="Copy the code" code={code} />
        <p className={styles.hint}>{HINTS[way]}</p>
      </div>
    </Panel>
  )
}
