import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowLeftRight, ArrowRight, GitCompare } from 'lucide-react'
import type { Artifact } from '~/api/types'
import { versionsQuery } from '~/features/artifacts/artifact-queries'
import { DiffContent } from '~/features/artifacts/diff/diff-content'
import { previousVersion } from '~/features/artifacts/diff/previous-version'
import { VersionPicker } from '~/features/artifacts/diff/version-picker'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './diff-tab.module.css'

interface DiffTabProps {
  artifact: Artifact
  /** The version it is compared with; `null`: whichever comes before it. */
  from: string | null
  onFrom: (version: string) => void
}

/** What is not the same in two versions of a collection. */
export function DiffTab({ artifact, from, onFrom }: DiffTabProps) {
  const { entity, project, collection, version } = artifact
  const versions = useInfiniteQuery(versionsQuery(entity, project, collection))
  const known = versions.data?.pages.flatMap((page) => page.artifacts) ?? []
  const other = from ?? previousVersion(version, known)
  if (versions.data === undefined && from === null) {
    if (versions.error !== null) {
      return (
        <ErrorMessage
          title="Could not read the versions"
          error={versions.error}
          onRetry={() => void versions.refetch()}
        />
      )
    }
    return (
      <div className={styles.loading}>
        <Skeleton height={220} />
      </div>
    )
  }
  const choice = (
    <div className={styles.choice}>
      <VersionPicker
        label="Compare with"
        value={other}
        versions={known.filter((each) => each.version !== version)}
        hasMore={versions.hasNextPage}
        onMore={() => void versions.fetchNextPage()}
        onChoose={onFrom}
      />
      <ArrowRight size={15} className={styles.arrow} aria-label="to" />
      <span className={styles.version}>{version}</span>
      {other !== null && (
        <Link
          to="/$entity/$project/artifacts/$collection/$version"
          params={{ entity, project, collection, version: other }}
          search={{ tab: 'diff', from: version }}
          className={styles.swap}
        >
          <ArrowLeftRight size={14} />
          Swap
        </Link>
      )}
    </div>
  )
  return (
    <div className={styles.page}>
      {other === null ? (
        <>
          <div className={styles.alone}>{choice}</div>
          <Message title={`Nothing comes before ${version}`} icon={<GitCompare size={20} />}>
            {known.length > 1
              ? 'Choose a version to compare it with.'
              : `${collection} has no other version to compare it with.`}
          </Message>
        </>
      ) : (
        <DiffContent key={`${version} ${other}`} artifact={artifact} other={other} choice={choice} />
      )}
    </div>
  )
}
