import { alignSeries } from '~/charts/align'
import type { Line } from '~/charts/line'
import type { Range } from '~/charts/range'

/** What is shown as CSV: one row for each x, one column for each run. */
export function chartCsv(lines: readonly Line[], xName: string, zoom: Range | null): string {
  const aligned = alignSeries(lines.map(({ columns, y }) => ({ x: columns.x, y })))
  const rows = [[xName, ...lines.map(({ name }) => name)].map(csvField).join(',')]
  aligned.x.forEach((x, row) => {
    if (zoom !== null && (x < zoom[0] || x > zoom[1])) return
    const cells = aligned.y.map((column) => (Number.isNaN(column[row]) ? '' : String(column[row])))
    rows.push([String(x), ...cells].join(','))
  })
  return `${rows.join('\n')}\n`
}

/** Quotes what CSV cannot say plainly, and defuses what spreadsheets would run as a formula. */
export function csvField(text: string): string {
  const safe = /^[=+@-]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const MAX_LEGEND = 12

/** The chart as drawn, with its title and, for few runs, their names below. */
export function chartPng(
  canvas: HTMLCanvasElement,
  title: string,
  lines: readonly Line[],
  colors: { background: string; text: string },
): Promise<Blob | null> {
  const ratio = window.devicePixelRatio || 1
  const legend = lines.length <= MAX_LEGEND ? lines : []
  const head = 32 * ratio
  const lineHeight = 18 * ratio
  const out = document.createElement('canvas')
  out.width = canvas.width + 16 * ratio
  out.height = canvas.height + head + legend.length * lineHeight + 16 * ratio
  const context = out.getContext('2d')
  if (context === null) return Promise.resolve(null)
  context.fillStyle = colors.background
  context.fillRect(0, 0, out.width, out.height)
  context.fillStyle = colors.text
  context.font = `600 ${13 * ratio}px "Inter Variable", system-ui, sans-serif`
  context.fillText(title, 14 * ratio, 22 * ratio)
  context.drawImage(canvas, 8 * ratio, head)
  context.font = `${11 * ratio}px "Inter Variable", system-ui, sans-serif`
  legend.forEach((line, index) => {
    const y = canvas.height + head + (index + 0.8) * lineHeight
    context.fillStyle = line.color
    context.fillRect(14 * ratio, y - 7 * ratio, 14 * ratio, 3 * ratio)
    context.fillStyle = colors.text
    context.fillText(line.name, 34 * ratio, y)
  })
  return new Promise((resolve) => out.toBlob(resolve, 'image/png'))
}
