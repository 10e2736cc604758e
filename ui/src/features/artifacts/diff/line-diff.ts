import { structuredPatch } from 'diff'

export interface ComparedLine {
  kind: 'same' | 'added' | 'removed' | 'gap'
  text: string
  /** Line numbers in the old and the new text, from 1 on. */
  before: number | null
  after: number | null
  /** The part of the text that is not in the line it stands for, when only a part is: from here, up to and without. */
  part: readonly [start: number, end: number] | null
}

const CONTEXT = 3
/** Texts that have so little in common that it takes longer are not compared. */
const MAX_MILLIS = 1_500

/** Two texts line by line, and what is around the changes; `null` when they have too little in common to tell in time. */
export function lineDiff(before: string, after: string): ComparedLine[] | null {
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context: CONTEXT, timeout: MAX_MILLIS })
  if (patch === undefined) return null
  const lines: ComparedLine[] = []
  for (const { oldStart, newStart, lines: hunk } of patch.hunks) {
    let [old, now] = [oldStart, newStart]
    if (lines.length > 0 || old > 1 || now > 1)
      lines.push({ kind: 'gap', text: '', before: old, after: now, part: null })
    for (const line of hunk) {
      const text = line.slice(1)
      if (line.startsWith('-')) lines.push({ kind: 'removed', text, before: old++, after: null, part: null })
      else if (line.startsWith('+')) lines.push({ kind: 'added', text, before: null, after: now++, part: null })
      else if (line.startsWith(' ')) lines.push({ kind: 'same', text, before: old++, after: now++, part: null })
      // What is left says that a text does not end with a line break.
    }
  }
  return withParts(lines)
}

/** As many lines one after the other as were there before stand for those: each is compared with its own. */
function withParts(lines: ComparedLine[]): ComparedLine[] {
  let index = 0
  const run = (kind: ComparedLine['kind']) => {
    const start = index
    while (index < lines.length && lines[index].kind === kind) index += 1
    return [start, index] as const
  }
  while (index < lines.length) {
    const [start, end] = run('removed')
    const [newStart, newEnd] = run('added')
    if (end > start && end - start === newEnd - newStart) {
      for (let place = 0; place < end - start; place += 1) {
        const [old, now] = [lines[start + place], lines[newStart + place]]
        const [head, tail] = inCommon(old.text, now.text)
        if (head + tail === 0) continue
        old.part = [head, old.text.length - tail]
        now.part = [head, now.text.length - tail]
      }
    }
    if (index === start) index += 1
  }
  return lines
}

/** How many characters two texts have in common at their beginning, and then at their end. */
export function inCommon(a: string, b: string): [head: number, tail: number] {
  const length = Math.min(a.length, b.length)
  let head = 0
  while (head < length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return [head, tail]
}

/** How many lines came and went. */
export function countLines(lines: readonly ComparedLine[]): { added: number; removed: number } {
  const count = (kind: ComparedLine['kind']) => lines.reduce((sum, line) => sum + (line.kind === kind ? 1 : 0), 0)
  return { added: count('added'), removed: count('removed') }
}
