/** One bar; null where there is no value. */
interface Bar {
  readonly label: string
  readonly value: number | null
}

export interface Chart {
  readonly title: string
  readonly unit: string
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[]
}

const WIDTH = 760
const LABELS = 250
const VALUES = 90
const BAR = 16
const GROUP_GAP = 30
const TOP = 44
/** Told apart by those who see red and green alike as well (Okabe and Ito, 2008). */
const COLOURS = ['#666666', '#0072b2', '#56b4e9', '#d55e00', '#e69f00', '#cc79a7', '#009e73']

/** Horizontal bars in groups, as SVG. Colours follow the labels, in the order in which they come. */
export function barChart({ title, unit, groups }: Chart): string {
  const labels = [...new Set(groups.flatMap(({ bars }) => bars.map(({ label }) => label)))]
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value ?? 0))
  const most = Math.max(...values, Number.EPSILON)
  const scale = (WIDTH - LABELS - VALUES) / most
  const parts: string[] = []
  let y = TOP
  for (const group of groups) {
    parts.push(text(8, y + 13, group.label, 'bold'))
    y += 22
    for (const { label, value } of group.bars) {
      parts.push(text(20, y + 12, label))
      const colour = COLOURS[labels.indexOf(label) % COLOURS.length]
      const length = Math.max(0, (value ?? 0) * scale)
      parts.push(
        `<rect x="${LABELS}" y="${y + 2}" width="${length.toFixed(1)}" height="${BAR - 4}" fill="${colour}"/>`,
        text(LABELS + length + 6, y + 12, value === null ? 'none' : `${short(value)} ${unit}`.trimEnd()),
      )
      y += BAR
    }
    y += GROUP_GAP - 22
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 8}" viewBox="0 0 ${WIDTH} ${y + 8}"`,
    '  font-family="system-ui, sans-serif" font-size="12" role="img">',
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="8" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** Three figures that count. */
export function short(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.abs(value)))))
  return value.toFixed(digits)
}

function text(x: number, y: number, content: string, weight = 'normal'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
