import { firstArtifactLines } from '~/features/artifacts/usage-code'
import { Snippet } from '~/ui/snippet'
import styles from './first-artifact.module.css'

/** What to do where there is no artifact yet. */
export function FirstArtifact({ project }: { project: string }) {
  return (
    <section className={styles.box} aria-label="Log a first artifact">
      <h2>Log a first artifact</h2>
      <p className={styles.text}>
        A data set, a model, a table of results: whatever a run makes or needs is kept here in versions, the same
        content only once, and every version knows which runs made and used it.
      </p>
      <Snippet label="Copy the Python lines" code={firstArtifactLines(project)} />
    </section>
  )
}
