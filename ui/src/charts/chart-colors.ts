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
}

const LIGHT: ChartColors = {
  background: '#ffffff',
  text: '#6b7080',
  grid: 'rgba(20, 24, 40, 0.07)',
  axis: 'rgba(20, 24, 40, 0.16)',
  crosshair: 'rgba(20, 24, 40, 0.38)',
  veil: 'rgba(255, 255, 255, 0.74)',
  marks: { info: '#2563d9', warning: '#a15c07', error: '#c4302b' },
}

const DARK: ChartColors = {
  background: '#15161a',
  text: '#8b909e',
  grid: 'rgba(255, 255, 255, 0.06)',
  axis: 'rgba(255, 255, 255, 0.14)',
  crosshair: 'rgba(255, 255, 255, 0.42)',
  veil: 'rgba(21, 22, 26, 0.76)',
  marks: { info: '#5b9bff', warning: '#f5b04c', error: '#ff7a70' },
}

export function chartColors(dark: boolean): ChartColors {
  return dark ? DARK : LIGHT
}
