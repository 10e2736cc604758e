import { PYTHON_LINES, shellLines } from '~/features/projects/first-run'
import { Snippet } from '~/ui/snippet'
import styles from './getting-started.module.css'

interface GettingStartedProps {
  /** The folder that is looked at; `null` on a server. */
  folder: string | null
  loginRequired: boolean
}

/** What to do where there is no run yet. */
export function GettingStarted({ folder, loginRequired }: GettingStartedProps) {
  const shell = folder === null ? shellLines(window.location.origin, loginRequired) : `cd ${folder}`
  return (
    <section className={styles.box} aria-label="Getting started">
      <h2>Log a first run</h2>
      <p className={styles.text}>
        {folder === null
          ? 'There is no run on this server yet. These lines are all it takes; the run appears here at once, no reload needed.'
          : `There is no run in ${folder} yet. Runs that log into this folder appear here at once.`}
      </p>
      <h3 className={styles.step}>In a shell</h3>
      <Snippet label="Copy the shell lines" code={shell} />
      <h3 className={styles.step}>In a script or notebook</h3>
      <Snippet label="Copy the Python lines" code={PYTHON_LINES} />
    </section>
  )
}
