/** A piece of text as it is, or one character that nobody would see, or that would change what stands around it. */
export type TextPart = { kind: 'text'; text: string } | { kind: 'hidden'; character: string; label: string }

/**
 * Control characters but for the tab; marks that turn the direction of text; characters without width; line separators,
 * tags and blank fillers. Joiners are among them, but see `isJoiner`.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each of them stands for itself
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** What turns the direction of text, and is used to make it say something else than it does. */
const NAMES: Record<string, string> = {
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero width space',
  '\u200c': 'zero width non-joiner',
  '\u200d': 'zero width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'end of embedding',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2060': 'word joiner',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'end of isolate',
  '\ufeff': 'byte order mark',
}

/** Cuts a text at the characters that have to be shown by a sign of their own. */
export function splitHidden(text: string): TextPart[] {
  const parts: TextPart[] = []
  let start = 0
  for (const match of text.matchAll(HIDDEN)) {
    const [character] = match
    if (isJoiner(text, match.index)) continue
    if (match.index > start) parts.push({ kind: 'text', text: text.slice(start, match.index) })
    parts.push({ kind: 'hidden', character, label: labelOf(character) })
    start = match.index + character.length
  }
  if (start < text.length || parts.length === 0) parts.push({ kind: 'text', text: text.slice(start) })
  return parts
}

/** What ASCII calls its control characters, from 0 up. */
const CONTROLS =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'
const CONTROL_NAMES = CONTROLS.split(' ')

/** What is written in place of the character: the name of a control character, or its code point. */
function labelOf(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return CONTROL_NAMES[code] ?? (code === 0x7f ? 'DEL' : codePoint(character))
}

/** `U+202E`. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** For a tooltip: `U+202E right-to-left override`. */
export function describeHidden(character: string): string {
  const name = NAMES[character]
  return name === undefined ? `control character ${codePoint(character)}` : `${codePoint(character)} ${name}`
}

/** Emoji and some scripts cannot do without joiners: between characters that are not ASCII they do what they should. */
function isJoiner(text: string, index: number): boolean {
  if (text[index] !== '\u200d' && text[index] !== '\u200c') return false
  const [before, after] = [text.charCodeAt(index - 1), text.charCodeAt(index + 1)]
  const joins = (code: number) => code >= 0x300 && !(code >= 0x2000 && code <= 0x206f)
  return joins(before) && joins(after)
}
