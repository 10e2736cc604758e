import type { ConsoleLine, ConsoleLineList, ConsoleOutput, ConsoleProcess, ConsoleRequest } from '../src/api/types.ts'
import type { MockRun } from './data.ts'
import { hashText } from './random.ts'

const LINES_OF_STEP = 2
/** The run of each project whose log is as long as logs get. */
const LONG = 1_000_000
const sgr = (codes: string, text: string) => `\u001b[${codes}m${text}\u001b[0m`

const HOSTILE = [
  `<script>document.title = 'taken over'</script><img src=x onerror="alert(1)">`,
  'access level\u202e\u2066 // check if admin\u2069 \u2066',
  'zero\u200bwidth \u0007bell \u001b[2J\u001b]0;owned\u0007 escape',
  'z\u0335\u0321\u0353a\u0338\u0355l\u0336\u0322g\u0337\u0356o\u0334\u0323 \u0e4e\u0e4e\u0e4e\u0e4e\u0e4e\u0e4e\u0e4e\u0e4e\u0e4e',
  `a long line ${'0123456789abcdef'.repeat(1_600)} ends`,
  'invalid bytes \ufffd\ufffd\ufffd, 日本語, עברית, 👩‍🚀',
  Array.from({ length: 400 }, (_, index) => sgr(`38;5;${(index * 7) % 256}`, 'x')).join(''),
  `javascript:alert(1) ${sgr('30;40', 'black on black')} ${sgr('97', 'white')} ${sgr('38;2;255;255;0', 'yellow')} ${sgr('7', 'inverse')}`,
]
const TRACEBACK = [
  'Traceback (most recent call last):',
  '  File "/home/ada/train.py", line 84, in <module>',
  '    main()',
  '  File "/home/ada/train.py", line 61, in main',
  '    loss = model(batch).loss',
  '           ~~~~~^^^^^^^',
  'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
]

interface MockLine {
  text: string
  output: ConsoleOutput
}

/** What a training script prints, the same every time. */
function lineOf(mock: MockRun, index: number, length: number): MockLine {
  const done = mock.run.state !== 'running'
  const fromEnd = length - 1 - index
  if (mock.run.state === 'failed' && fromEnd < TRACEBACK.length) {
    return { text: TRACEBACK[TRACEBACK.length - 1 - fromEnd], output: 'stderr' }
  }
  if (index < 4) {
    return {
      text: [
        sgr('1', 'steplog demo training'),
        `${sgr('32', '✓')} loaded ${sgr('36', 'openwebtext')} in 4.21s`,
        `device: ${sgr('1;33', 'cuda:0')}  precision: bf16`,
        '',
      ][index],
      output: 'stdout',
    }
  }
  if (index % 97 === 41) return { text: HOSTILE[Math.floor(index / 97) % HOSTILE.length], output: 'stdout' }
  if (index % 50 === 49) {
    const text = `${sgr('33', 'WARNING')} gradient overflow, loss scale halved at step ${index}`
    return { text, output: 'stderr' }
  }
  if (index % 25 === 24) {
    const share = fromEnd < 2 && !done ? 63 : 100
    const full = Math.round(share * 0.3)
    const bar = '█'.repeat(full) + ' '.repeat(30 - full)
    return {
      text: `epoch ${Math.floor(index / 25)}: ${String(share).padStart(3)}%|${sgr('34', bar)}| ${share * 4}/400 [00:12<00:00, 31.7it/s]`,
      output: 'stderr',
    }
  }
  const loss = 0.4 + 2.4 * Math.exp(-index / 4_000) + (hashText(`${mock.run.id} ${index}`) % 1_000) / 9_000
  return {
    text: `${sgr('2', `[${index}]`)} loss=${sgr('1', loss.toFixed(4))} lr=3.0e-04 grad_norm=${(loss * 1.7).toFixed(3)} tokens/s=${sgr('32', String(12_000 + (index % 700)))}`,
    output: 'stdout',
  }
}

export function consoleLength(mock: MockRun): number {
  return mock.run.name.endsWith('-2') ? LONG : mock.length * LINES_OF_STEP
}

/** Two processes where the run has several streams: the second prints every fourth line. */
function processOf(mock: MockRun, index: number): number {
  return mock.streams.length > 1 && index % 4 === 3 ? 1 : 0
}

function numberOf(mock: MockRun, index: number): number {
  if (mock.streams.length < 2) return index
  return index % 4 === 3 ? Math.floor(index / 4) : index - Math.floor((index + 1) / 4)
}

export function queryConsole(mock: MockRun, request: ConsoleRequest): ConsoleLineList {
  const length = consoleLength(mock)
  const processes: ConsoleProcess[] = mock.streams.slice(0, 2).map((stream, process) => ({
    stream: stream.id,
    label: stream.label,
    host: stream.host,
    process_id: stream.process_id,
    is_fork: stream.parent !== null,
    line_count:
      mock.streams.length < 2 ? length : process === 1 ? Math.floor(length / 4) : length - Math.floor(length / 4),
  }))
  const wanted = !request.stream ? null : processes.findIndex(({ stream }) => stream === request.stream)
  const selects = (index: number) =>
    (wanted === null || processOf(mock, index) === wanted) &&
    (!request.output || lineOf(mock, index, length).output === request.output)
  const all = wanted === null && !request.output
  const selected = all ? null : Int32Array.from(Array(length).keys()).filter(selects)
  const count = selected?.length ?? length
  const indexOf = (place: number) => selected?.[place] ?? place
  let found: number[] | null = null
  if (request.search) {
    const source = request.regex ? request.search : request.search.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    const pattern = new RegExp(source, request.case_sensitive ? '' : 'i')
    found = []
    for (let place = 0; place < count; place += 1) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are not searched
      const plain = lineOf(mock, indexOf(place), length).text.replace(/\u001b\[[0-9;:]*m/g, '')
      if (pattern.test(plain)) found.push(place)
    }
  }
  const total = found?.length ?? count
  const asked = request.from ?? 0
  const from = asked < 0 ? Math.max(0, total + asked) : Math.min(asked, total)
  const lines: ConsoleLine[] = []
  for (let row = from; row < Math.min(total, from + (request.limit ?? 1_000)); row += 1) {
    const place = found?.[row] ?? row
    const index = indexOf(place)
    lines.push({
      ...lineOf(mock, index, length),
      index: place,
      number: numberOf(mock, index),
      process: processOf(mock, index),
      time: mock.run.created_at + index * 0.2,
    })
  }
  return { lines, from, total, line_count: count, processes }
}
