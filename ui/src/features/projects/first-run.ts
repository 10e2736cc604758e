/** Where clients look for a server when nobody told them of one. */
const DEFAULT_ORIGIN = /^http:\/\/(?:127\.0\.0\.1|localhost):7837$/

/** What somebody types in a shell before their first run reaches the server that this page came from. */
export function shellLines(origin: string, loginRequired: boolean): string {
  const lines = ['pip install .   # in a clone of steplog']
  if (loginRequired) lines.push(`steplog login ${origin}`)
  else if (!DEFAULT_ORIGIN.test(origin)) lines.push(`export STEPLOG_BASE_URL=${origin}`)
  return lines.join('\n')
}

export const PYTHON_LINES = `import steplog

with steplog.init(project="demo", config={"lr": 0.1}) as run:
    for step in range(1000):
        run.log({"loss": 1 / (step + 1)})`
