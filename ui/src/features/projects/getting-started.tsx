import { CopyButton } from '~/ui/copy-button'
import styles from './getting-started.module.css'

const SHELL = 'pip install steplog'
const PYTHON = `import steplog
run = steplog.init(project="demo")
run.log({"loss": 0.3})`

export function GettingStarted({ folder }: { folder: string | null }) {
  return (
    <section className={styles.box} aria-label="Getting started">
      <h2>Log a first run</h2>
      <p className={styles.text}>
        {folder === null
          ? 'There is no run on this server yet. These lines are all it takes; the run appears here at once.'
          : `There is no run in ${folder} yet. Runs that log into this folder appear here at once.`}
      </p>
      <Snippet label="Copy the install command" code={SHELL} />
      <Snippet label="Copy the Python lines" code={PYTHON} />
    </section>
  )
}

function Snippet({ label, code }: { label: string; code: string }) {
  return (
    <div className={styles.snippet}>
      <pre>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={label} className={styles.copy} />
    </div>
  )
}
