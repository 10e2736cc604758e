import { type CSSProperties, memo, useMemo } from 'react'
import type { ConsoleLine } from '~/api/types'
import type { lineMatcher } from '~/features/logs/line-matcher'
import { type LinePiece, linePieces, SHOWN_CHARACTERS } from '~/features/logs/line-pieces'
import type { LineTime } from '~/features/logs/logs-view'
import { PLAIN, plainText } from '~/features/logs/sgr'
import { colorsOf } from '~/features/logs/terminal-color'
import { formatInteger } from '~/lib/format-number'
import { formatDateTime, formatElapsed, formatTimeOfDay } from '~/lib/format-time'
import { describeHidden } from '~/lib/hidden-characters'
import styles from './log-line.module.css'

interface LogLineProps {
  /** Place in the list. */
  row: number
  line: ConsoleLine
  /** Who printed it and in which colour, where several did. */
  process: { name: string; color: string } | null
  time: LineTime
  /** When the run began, Unix seconds. */
  startedAt: number
  matcher: ReturnType<typeof lineMatcher>
  chosen: boolean
  /** Whether all of a long line is shown. */
  whole: boolean
  onChoose: (line: ConsoleLine, further: boolean) => void
  onWhole: (line: ConsoleLine) => void
}

/** One line of the console. Whatever was printed becomes text of the page, and never anything else. */
export const LogLine = memo(function LogLine(props: LogLineProps) {
  const { row, line, process, time, startedAt, matcher, chosen, whole, onChoose, onWhole } = props
  const plain = useMemo(() => plainText(line.text), [line.text])
  const limit = whole ? plain.length : SHOWN_CHARACTERS
  const pieces = useMemo(
    () => linePieces(line.text, matcher?.(plain.slice(0, limit)) ?? [], limit),
    [line.text, plain, matcher, limit],
  )
  return (
    <li
      className={styles.line}
      data-row={row}
      data-output={line.output}
      data-chosen={chosen || undefined}
      data-whole={whole || undefined}
    >
      <button
        type="button"
        className={styles.number}
        tabIndex={-1}
        aria-label={`Line ${formatInteger(line.index + 1)}`}
        aria-pressed={chosen}
        title={`${line.output}, ${formatDateTime(line.time)}`}
        onClick={(event) => onChoose(line, event.shiftKey)}
        data-number={line.index + 1}
      />
      {time !== 'none' && (
        <time className={styles.time} title={formatDateTime(line.time)}>
          {time === 'clock' ? formatTimeOfDay(line.time) : formatElapsed(line.time - startedAt)}
        </time>
      )}
      {process !== null && (
        <span className={styles.process} style={{ color: process.color }} title={process.name}>
          {process.name}
        </span>
      )}
      <span className={styles.text}>
        {pieces.map((piece, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no state and no other name
          <Piece key={index} piece={piece} />
        ))}
        {plain.length > limit && (
          <button type="button" className={styles.more} onClick={() => onWhole(line)}>
            show all {formatInteger(plain.length)} characters
          </button>
        )}
      </span>
    </li>
  )
})

function Piece({ piece: { text, style, found, sign } }: { piece: LinePiece }) {
  if (sign !== null) {
    // The sign is no text of the page: what is copied has neither it nor the character.
    return (
      <span className={styles.sign} data-sign={sign} title={describeHidden(text)} data-found={found || undefined} />
    )
  }
  if (style === PLAIN) return found ? <mark className={styles.found}>{text}</mark> : text
  const { color, background } = colorsOf(style)
  const look: CSSProperties = {
    color,
    background,
    fontWeight: style.bold ? 700 : undefined,
    fontStyle: style.italic ? 'italic' : undefined,
    opacity: style.dim ? 0.65 : undefined,
    textDecoration: decorationOf(style.underline, style.strike),
  }
  return found ? (
    <mark className={styles.found} style={{ ...look, color: undefined, background: undefined }}>
      {text}
    </mark>
  ) : (
    <span style={look}>{text}</span>
  )
}

function decorationOf(underline: boolean, strike: boolean): string | undefined {
  if (!underline && !strike) return undefined
  return `${underline ? 'underline' : ''} ${strike ? 'line-through' : ''}`.trim()
}
