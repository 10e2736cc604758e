/** What a canvas needs as plain colours: custom properties do not reach it. The same values as in `styles.css`. */
export interface ChartColors {
  background: string
  text: string
  grid: string
  axis: string
  crosshair: string
  /** Laid over a chart so that the highlighted run stands out. */
  veil: string
  /** Marks along x, by how grave they are. */
  marks: { info: string; warning: string; error: string }
  /** From few to many. */
  heat: readonly string[]
}

type Rgb = readonly [red: number, green: number, blue: number]
const HEAT_STEPS = 32

/** Colours that go evenly from one to the next of `stops`. */
function ramp(stops: readonly Rgb[]): string[] {
  return Array.from({ length: HEAT_STEPS }, (_, step) => {
    const place = (step / (HEAT_STEPS - 1)) * (stops.length - 1)
    const index = Math.min(stops.length - 2, Math.floor(place))
    const [from, to] = [stops[index], stops[index + 1]]
    const part = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (place - index))
    return `rgb(${part(0)}, ${part(1)}, ${part(2)})`
  })
}

const LIGHT: ChartColors = {
  background: '#ffffff',
  text: '#6b7080',
  grid: 'rgba(20, 24, 40, 0.07)',
  axis: 'rgba(20, 24, 40, 0.16)',
  crosshair: 'rgba(20, 24, 40, 0.38)',
  veil: 'rgba(255, 255, 255, 0.74)',
  marks: { info: '#2563d9', warning: '#a15c07', error: '#c4302b' },
  heat: ramp([
    [240, 240, 252],
    [168, 170, 240],
    [81, 81, 205],
    [30, 28, 92],
  ]),
}

const DARK: ChartColors = {
  background: '#15161a',
  text: '#8b909e',
  grid: 'rgba(255, 255, 255, 0.06)',
  axis: 'rgba(255, 255, 255, 0.14)',
  crosshair: 'rgba(255, 255, 255, 0.42)',
  veil: 'rgba(21, 22, 26, 0.76)',
  marks: { info: '#5b9bff', warning: '#f5b04c', error: '#ff7a70' },
  heat: ramp([
    [30, 31, 48],
    [62, 62, 150],
    [141, 141, 255],
    [236, 236, 255],
  ]),
}

export function chartColors(dark: boolean): ChartColors {
  return dark ? DARK : LIGHT
}
