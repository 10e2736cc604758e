import { FileDiff, GitBranch, GitCommitHorizontal } from 'lucide-react'
import { useState } from 'react'
import type { Run, RunFile } from '~/api/types'
import { DiffDialog } from '~/features/files/diff-dialog'
import type { GitState } from '~/features/run/environment'
import { Facts } from '~/features/run/facts'
import { webLink } from '~/lib/web-link'
import { Button } from '~/ui/button'
import { CopyButton } from '~/ui/copy-button'
import { Panel } from '~/ui/panel'
import styles from './git-card.module.css'

const SHORT_COMMIT = 10

/** Which code ran: the commit, and what was not committed. */
export function GitCard({ run, git, diff }: { run: Run; git: GitState; diff: RunFile | undefined }) {
  const [open, setOpen] = useState(false)
  const { commit, branch, remote, root, dirty, message } = git
  return (
    <Panel
      title="Git"
      aside={
        diff !== undefined && (
          <Button onClick={() => setOpen(true)}>
            <FileDiff size={14} /> View diff
          </Button>
        )
      }
    >
      <Facts
        facts={[
          [
            'Commit',
            commit && (
              <span className={styles.commit}>
                <GitCommitHorizontal size={14} className={styles.icon} />
                <code title={commit}>{commit.slice(0, SHORT_COMMIT)}</code>
                <CopyButton text={commit} label="Copy the commit" className={styles.copy} />
                {dirty && (
                  <span className={styles.dirty} title="There were changes that were not committed">
                    uncommitted changes
                  </span>
                )}
              </span>
            ),
          ],
          ['Message', message && <span className={styles.message}>{message}</span>],
          [
            'Branch',
            branch && (
              <span className={styles.commit}>
                <GitBranch size={14} className={styles.icon} />
                {branch}
              </span>
            ),
          ],
          ['Remote', remote && <Remote remote={remote} />],
          ['Root', root && <code>{root}</code>],
        ]}
      />
      {open && diff !== undefined && <DiffDialog run={run} file={diff} onClose={() => setOpen(false)} />}
    </Panel>
  )
}

function Remote({ remote }: { remote: string }) {
  const link = webLink(remote)
  if (link === null) return remote
  return (
    <a className={styles.link} href={link} target="_blank" rel="noopener noreferrer nofollow">
      {link.replace(/^https?:\/\//, '').replace(/\.git$/, '')}
    </a>
  )
}
