import { useMutation } from '@tanstack/react-query'
import { CircleCheck, CircleX } from 'lucide-react'
import { useEffect } from 'react'
import { sendJson } from '~/api/client'
import type { Artifact, ArtifactVerification } from '~/api/types'
import { formatBytes, formatInteger, plural } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { Dialog } from '~/ui/dialog'
import { ErrorMessage } from '~/ui/message'
import styles from './verify-dialog.module.css'

/** Has the server read all bytes of a version, and says what it found. */
export function VerifyDialog({ artifact, onClose }: { artifact: Artifact; onClose: () => void }) {
  const verify = useMutation({
    mutationFn: () => sendJson<ArtifactVerification>('POST', api.version(artifact, 'verify')),
  })
  const { mutate } = verify
  useEffect(() => mutate(), [mutate])
  const name = `${artifact.collection}:${artifact.version}`
  return (
    <Dialog title={`Verify ${name}`} label="Verify files" onClose={onClose}>
      {verify.error !== null ? (
        <ErrorMessage title="Could not verify the files" error={verify.error} onRetry={() => mutate()} />
      ) : verify.data === undefined ? (
        <p className={styles.text}>The server reads {formatBytes(artifact.size_bytes)}…</p>
      ) : (
        <Outcome found={verify.data} />
      )}
    </Dialog>
  )
}

function Outcome({ found: { good_count, damaged, reference_count } }: { found: ArtifactVerification }) {
  const whole = damaged.length === 0
  return (
    <>
      <p className={styles.outcome} data-whole={whole || undefined}>
        {whole ? <CircleCheck size={18} /> : <CircleX size={18} />}
        {whole
          ? `${plural(good_count, 'file')} ${good_count === 1 ? 'is' : 'are'} as committed`
          : `${plural(damaged.length, 'file')} of ${formatInteger(good_count + damaged.length)} damaged or gone`}
      </p>
      {reference_count > 0 && (
        <p className={styles.text}>{plural(reference_count, 'reference')} point elsewhere and were not read.</p>
      )}
      {!whole && (
        <>
          <p className={styles.text}>
            They are not served any more. Logging the same content again mends them: the bytes are sent anew.
          </p>
          <ul className={styles.damaged} aria-label="Damaged files">
            {damaged.map((path) => (
              <li key={path}>{path}</li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}
