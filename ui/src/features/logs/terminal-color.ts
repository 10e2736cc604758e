import type { TerminalColor, TextStyle } from '~/features/logs/sgr'

type Rgb = readonly [red: number, green: number, blue: number]

/** The page behind a line, in the light and the dark theme: `--surface` in `styles.css`. */
const LIGHT_PAGE: Rgb = [255, 255, 255]
const DARK_PAGE: Rgb = [21, 22, 26]
/** What the web's guidelines ask of small text. */
const CONTRAST = 4.5
/** The first sixteen are the theme's own, as custom properties. */
const THEMED = 16

/**
 * A colour for text, readable in both themes: whoever printed it saw another background. Sixteen have values of the theme;
 * others are darkened or lightened as far as it takes.
 */
export function textColor(color: TerminalColor): string {
  if (typeof color === 'number' && color < THEMED) return `var(--terminal-${color})`
  const rgb = rgbOf(color)
  return `light-dark(${css(readable(rgb, LIGHT_PAGE))}, ${css(readable(rgb, DARK_PAGE))})`
}

/** A colour behind text. */
export function backgroundColor(color: TerminalColor): string {
  return typeof color === 'number' && color < THEMED ? `var(--terminal-${color})` : css(rgbOf(color))
}

/** The text's and the background's colour of a style as CSS values; `undefined` is the page's own. */
export function colorsOf({ color, background, inverse }: TextStyle): { color?: string; background?: string } {
  const [front, back] = inverse ? [background, color] : [color, background]
  if (back === null && !inverse) return front === null ? {} : { color: textColor(front) }
  const behind = back === null ? 'var(--text)' : backgroundColor(back)
  if (back === null) return { color: front === null ? 'var(--surface)' : backgroundColor(front), background: behind }
  return { color: front === null ? textOn(back) : inFront(front, back), background: behind }
}

/** Text without a colour of its own on a coloured background. */
function textOn(back: TerminalColor): string {
  if (typeof back === 'number' && back < THEMED) return 'var(--surface)'
  return luminance(rgbOf(back)) > 0.18 ? '#16181f' : '#ffffff'
}

/** Of two given colours, each is the other's page: nothing hides by having both the same. */
function inFront(front: TerminalColor, back: TerminalColor): string {
  if (typeof back === 'number' && back < THEMED) return textOn(back)
  return css(readable(rgbOf(front), rgbOf(back)))
}

const CUBE = [0, 95, 135, 175, 215, 255]
/** xterm's first sixteen, where they are mixed with others. */
const BASE: readonly Rgb[] = [
  [0, 0, 0],
  [205, 0, 0],
  [0, 205, 0],
  [205, 205, 0],
  [0, 0, 238],
  [205, 0, 205],
  [0, 205, 205],
  [229, 229, 229],
  [127, 127, 127],
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [92, 92, 255],
  [255, 0, 255],
  [0, 255, 255],
  [255, 255, 255],
]

/** A terminal's colour as every terminal has it: sixteen, a cube of 6 × 6 × 6, 24 greys. */
export function rgbOf(color: TerminalColor): Rgb {
  if (typeof color !== 'number') return color
  if (color < BASE.length) return BASE[color]
  if (color >= 232) {
    const grey = 8 + (color - 232) * 10
    return [grey, grey, grey]
  }
  const index = color - BASE.length
  return [CUBE[Math.floor(index / 36)], CUBE[Math.floor(index / 6) % 6], CUBE[index % 6]]
}

/** The colour, mixed with black on a light page and with white on a dark one until it can be read there. */
export function readable(color: Rgb, page: Rgb): Rgb {
  const target = luminance(page) > 0.18 ? 0 : 255
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const mixed = color.map((part) => Math.round(part + ((target - part) * tenth) / 10)) as unknown as Rgb
    if (contrast(mixed, page) >= CONTRAST) return mixed
  }
  return [target, target, target]
}

export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`
}
