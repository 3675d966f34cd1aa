/** Colours of the charts, as the style sheet names them for the present theme. */
export interface Palette {
  readonly peers: string
  readonly seeders: string
  readonly http: string
  readonly httpLine: string
  readonly offload: string
  readonly viewers: string
  readonly surface: string
  readonly axis: string
  readonly grid: string
}

/** Reads the palette from the style sheet: colours live in one place. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    peers: of('peers'),
    seeders: of('seeders'),
    http: of('http'),
    httpLine: of('http-line'),
    offload: of('offload'),
    viewers: of('viewers'),
    surface: of('surface'),
    axis: of('muted'),
    grid: of('grid'),
  }
}

/** Calls back when the reader's system goes from light to dark or back. */
export function onThemeChange(listener: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener)
}

/** Diagonal hatching: HTTP is told from the rest by more than its colour. */
export function hatch(context: CanvasRenderingContext2D, fill: string, line: string): CanvasPattern | string {
  const size = Math.round(7 * devicePixelRatio)
  const tile = document.createElement('canvas')
  tile.width = size
  tile.height = size
  const pen = tile.getContext('2d')
  if (pen === null) return fill
  pen.fillStyle = fill
  pen.fillRect(0, 0, size, size)
  pen.strokeStyle = line
  pen.lineWidth = Math.max(1, devicePixelRatio)
  pen.beginPath()
  // Three strokes, so that the corners join up when the tile repeats.
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size)
    pen.lineTo(shift + size, 0)
  }
  pen.stroke()
  return context.createPattern(tile, 'repeat') ?? fill
}
