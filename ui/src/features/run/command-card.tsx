import type { Environment } from '~/features/run/environment'
import { Facts } from '~/features/run/facts'
import { shellQuote } from '~/lib/shell-quote'
import { CopyButton } from '~/ui/copy-button'
import { Panel } from '~/ui/panel'
import styles from './command-card.module.css'

/** How the run was begun. */
export function CommandCard({ environment }: { environment: Environment }) {
  const { command, program, workingDirectory, executable, python } = environment
  const line = shellQuote(command)
  if (command.length === 0 && program === null && workingDirectory === null && python === null) return null
  return (
    <Panel title="Command" aside={command.length > 0 && <CopyButton text={line} label="Copy the command" />}>
      {command.length > 0 && <pre className={styles.command}>{line}</pre>}
      <Facts
        facts={[
          ['Program', program && <code>{program}</code>],
          ['Directory', workingDirectory && <code>{workingDirectory}</code>],
          ['Python', python && <span title={executable ?? undefined}>{python}</span>],
        ]}
      />
    </Panel>
  )
}
