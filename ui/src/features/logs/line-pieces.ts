import { parseSgr, type TextStyle } from '~/features/logs/sgr'
import { splitHidden } from '~/lib/hidden-characters'

/** A stretch of a line's plain text: from `start` up to and without `end`. */
export type Span = readonly [start: number, end: number]

/** What one element of the page shows of a line. */
export interface LinePiece {
  text: string
  style: TextStyle
  /** Whether the search found it. */
  found: boolean
  /** A sign in place of a character that cannot be seen; what stands in `text` is that character. */
  sign: string | null
}

/** Longer lines are cut, until somebody asks for all of it. */
export const SHOWN_CHARACTERS = 2_000

/** A line as pieces with one style each, cut after `limit` characters; `spans`, rising and apart, were found. */
export function linePieces(text: string, spans: readonly Span[], limit: number): LinePiece[] {
  const pieces: LinePiece[] = []
  let at = 0
  for (const { text: styled, style } of parseSgr(text)) {
    if (at >= limit) break
    const shown = styled.slice(0, limit - at)
    for (const [part, found] of splitAtSpans(shown, at, spans)) {
      for (const each of splitHidden(part)) {
        if (each.kind === 'text') pieces.push({ text: each.text, style, found, sign: null })
        else pieces.push({ text: each.character, style, found, sign: each.label })
      }
    }
    at += styled.length
  }
  return pieces
}

function splitAtSpans(text: string, offset: number, spans: readonly Span[]): [text: string, found: boolean][] {
  const parts: [string, boolean][] = []
  let at = 0
  for (const [start, end] of spans) {
    const from = Math.max(at, start - offset)
    const to = Math.min(text.length, end - offset)
    if (from >= to) continue
    if (from > at) parts.push([text.slice(at, from), false])
    parts.push([text.slice(from, to), true])
    at = to
  }
  if (at < text.length) parts.push([text.slice(at), false])
  return parts
}
