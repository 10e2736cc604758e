export interface DiffLine {
  text: string
  kind: 'file' | 'part' | 'added' | 'removed' | 'same'
}

/** The lines of a unified diff by what they say. */
export function diffLines(text: string): DiffLine[] {
  let inPart = false
  const lines = text.split('\n')
  // The last line ends with a line break too.
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => {
    if (line.startsWith('@@')) inPart = true
    else if (line.startsWith('diff ')) inPart = false
    return { text: line, kind: kindOf(line, inPart) }
  })
}

function kindOf(line: string, inPart: boolean): DiffLine['kind'] {
  if (line.startsWith('@@')) return 'part'
  if (!inPart) return 'file'
  if (line.startsWith('+')) return 'added'
  return line.startsWith('-') ? 'removed' : 'same'
}
