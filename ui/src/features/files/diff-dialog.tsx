import { useQuery } from '@tanstack/react-query'
import type { Run, RunFile } from '~/api/types'
import { DiffView } from '~/features/files/diff-view'
import { PREVIEW_BYTES, textQuery } from '~/features/files/file-queries'
import { formatBytes } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { Dialog } from '~/ui/dialog'
import { DownloadLink } from '~/ui/download-link'
import { ErrorMessage, Skeleton } from '~/ui/message'
import styles from './diff-dialog.module.css'

/** A file of differences on the whole screen. */
export function DiffDialog({ run, file, onClose }: { run: Run; file: RunFile; onClose: () => void }) {
  const { data: text, error, refetch } = useQuery(textQuery(run, file))
  return (
    <Dialog
      size="full"
      label={file.path}
      title={file.path}
      onClose={onClose}
      actions={
        <DownloadLink
          href={api.file(run.entity, run.project, run.id, file.path, { download: 'true' })}
          name={file.path}
        >
          Download
        </DownloadLink>
      }
    >
      {text !== undefined ? (
        <>
          <DiffView text={text} />
          {file.size_bytes > PREVIEW_BYTES && (
            <p className={styles.cut}>The first {formatBytes(PREVIEW_BYTES)}; download the file to see all of it.</p>
          )}
        </>
      ) : error !== null ? (
        <ErrorMessage title="Could not read the file" error={error} onRetry={() => void refetch()} />
      ) : (
        <Skeleton height={240} />
      )}
    </Dialog>
  )
}
