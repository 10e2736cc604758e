/** One of a terminal's 256 colours, or red, green and blue of 0 to 255. */
export type TerminalColor = number | readonly [red: number, green: number, blue: number]

/** How a piece of a line is printed. */
export interface TextStyle {
  color: TerminalColor | null
  background: TerminalColor | null
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  strike: boolean
  inverse: boolean
}

export interface StyledText {
  text: string
  style: TextStyle
}

export const PLAIN: TextStyle = {
  color: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what this is about
const SEQUENCE = /\u001b\[([0-9:;]*)m/g
/** A line that changes its style more often is shown without further changes: each piece is an element of the page. */
const MAX_PIECES = 200

/** The text of a line without its colours and styles. */
export function plainText(text: string): string {
  return text.includes('\u001b') ? text.replace(SEQUENCE, '') : text
}

/** A line in pieces of one style each. Other escape sequences than those of colours and styles are left as they are. */
export function parseSgr(text: string): StyledText[] {
  if (!text.includes('\u001b')) return text === '' ? [] : [{ text, style: PLAIN }]
  const pieces: StyledText[] = []
  let style = PLAIN
  let start = 0
  const add = (piece: string) => {
    if (piece === '') return
    const last = pieces.at(-1)
    if (last !== undefined && (pieces.length === MAX_PIECES || sameStyle(last.style, style))) last.text += piece
    else pieces.push({ text: piece, style })
  }
  for (const match of text.matchAll(SEQUENCE)) {
    add(text.slice(start, match.index))
    start = match.index + match[0].length
    style = changed(style, match[1])
  }
  add(text.slice(start))
  return pieces
}

function sameStyle(a: TextStyle, b: TextStyle): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

/** The style after a sequence with these parameters; those that mean nothing here change nothing. */
function changed(before: TextStyle, parameters: string): TextStyle {
  let style = before
  const groups = parameters.split(';')
  for (let index = 0; index < groups.length; index += 1) {
    const [code, ...inner] = groups[index].split(':').map(numberOf)
    if (code === 38 || code === 48) {
      const colon = inner.length > 0
      const [color, used] = colon ? [colonColor(inner), 0] : listColor(groups.slice(index + 1).map(numberOf))
      index += used
      if (color !== undefined) style = { ...style, [code === 38 ? 'color' : 'background']: color }
    } else {
      style = withCode(style, code, inner[0])
    }
  }
  return style
}

function numberOf(text: string): number {
  return text === '' ? 0 : Number(text)
}

/** `5;n` or `2;r;g;b`, and how many parameters it took. */
function listColor([kind, ...rest]: number[]): [color: TerminalColor | undefined, used: number] {
  if (kind === 5) return [indexed(rest[0]), 2]
  if (kind === 2) return [mixed(rest.slice(0, 3)), 4]
  return [undefined, 1]
}

/** `5:n`, `2:r:g:b`, or `2::r:g:b` with a colour space that nobody uses. */
function colonColor([kind, ...rest]: number[]): TerminalColor | undefined {
  if (kind === 5) return indexed(rest[0])
  return kind === 2 ? mixed(rest.length > 3 ? rest.slice(1, 4) : rest) : undefined
}

function isByte(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 255
}

function indexed(index: number | undefined): TerminalColor | undefined {
  return isByte(index) ? index : undefined
}

function mixed([red, green, blue]: number[]): TerminalColor | undefined {
  return isByte(red) && isByte(green) && isByte(blue) ? [red, green, blue] : undefined
}

function withCode(style: TextStyle, code: number, variant: number | undefined): TextStyle {
  if (code >= 30 && code <= 37) return { ...style, color: code - 30 }
  if (code >= 90 && code <= 97) return { ...style, color: code - 90 + 8 }
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 }
  if (code >= 100 && code <= 107) return { ...style, background: code - 100 + 8 }
  switch (code) {
    case 0:
      return PLAIN
    case 1:
      return { ...style, bold: true }
    case 2:
      return { ...style, dim: true }
    case 3:
      return { ...style, italic: true }
    case 4:
      return { ...style, underline: variant !== 0 }
    case 7:
      return { ...style, inverse: true }
    case 9:
      return { ...style, strike: true }
    case 21:
      return { ...style, underline: true }
    case 22:
      return { ...style, bold: false, dim: false }
    case 23:
      return { ...style, italic: false }
    case 24:
      return { ...style, underline: false }
    case 27:
      return { ...style, inverse: false }
    case 29:
      return { ...style, strike: false }
    case 39:
      return { ...style, color: null }
    case 49:
      return { ...style, background: null }
    default:
      return style
  }
}
