import { useMemo } from 'react'
import { countLines, lineDiff } from '~/features/artifacts/diff/line-diff'
import { LineDiff } from '~/features/artifacts/diff/line-diff-view'
import { type Side, useSideText } from '~/features/artifacts/diff/use-side-text'
import { TEXT_BYTES } from '~/features/artifacts/files/entry-queries'
import { formatBytes, formatInteger } from '~/lib/format-number'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './text-comparison.module.css'

interface TextComparisonProps {
  before: Side
  after: Side
  /** JSON is compared with a line for each member. */
  isJson: boolean
}

/** Two texts, line by line. */
export function TextComparison({ before, after, isJson }: TextComparisonProps) {
  const old = useSideText(before)
  const now = useSideText(after)
  const lines = useMemo(() => {
    if (old.text === undefined || now.text === undefined) return undefined
    return isJson ? lineDiff(indentJson(old.text), indentJson(now.text)) : lineDiff(old.text, now.text)
  }, [old.text, now.text, isJson])
  const failed = [old, now].find(({ error }) => error !== null)
  if (failed !== undefined)
    return <ErrorMessage title="Could not read the file" error={failed.error} onRetry={failed.retry} />
  if (lines === undefined) {
    return (
      <div className={styles.loading}>
        <Skeleton height={160} />
      </div>
    )
  }
  if (lines === null) {
    return (
      <Message title="Hardly a line is the same">
        The two have too little in common to be compared line by line. Download them to look at both.
      </Message>
    )
  }
  const isCut = [before, after].some(({ entry }) => (entry?.size_bytes ?? 0) > TEXT_BYTES)
  const { added, removed } = countLines(lines)
  return (
    <>
      <p className={styles.count}>
        <span data-change="added">+{formatInteger(added)}</span>{' '}
        <span data-change="removed">
          {'\u2212'}
          {formatInteger(removed)}
        </span>{' '}
        {added + removed === 1 ? 'line' : 'lines'}
        {isCut && ` in the first ${formatBytes(TEXT_BYTES)}; download the files to see all of them`}
      </p>
      {lines.length === 0 ? <Message title="No line of it is another one" /> : <LineDiff lines={lines} />}
    </>
  )
}

/** JSON with a line for each member; what is none, or cut off, as it is. */
function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
