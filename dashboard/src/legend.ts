import { byId, setQuantity, setText } from './dom.js'
import { clockText, countQuantity, NOTHING, type Quantity, rateQuantity, shareQuantity } from './format.js'
import type { Timeline } from './samples.js'

/** The charts' legend, which is where their values are read: now, or under the cursor. */
export interface Legend {
  readonly show: (timeline: Timeline) => void
  readonly hover: (index: number | null) => void
  /** What it shows, to be read aloud. */
  readonly words: () => string
}

export function makeLegend(): Legend {
  const cells = {
    peers: byId('at-peers', HTMLElement),
    seeders: byId('at-seeders', HTMLElement),
    http: byId('at-http', HTMLElement),
    offload: byId('at-offload', HTMLElement),
    viewers: byId('at-viewers', HTMLElement),
  }
  const time = byId('at-time', HTMLElement)
  let shown: Timeline | null = null
  let hovered: number | null = null

  const write = (): void => {
    if (shown === null) return
    const index = hovered !== null && hovered < shown.at.length ? hovered : shown.at.length - 1
    const at = shown.at[index]
    setText(time, at === undefined ? '' : clockText(at * 1000, true))
    time.classList.toggle('hovered', hovered !== null)
    setQuantity(cells.peers, quantityAt(shown.peerRate, index, rateQuantity))
    setQuantity(cells.seeders, quantityAt(shown.seederRate, index, rateQuantity))
    setQuantity(cells.http, quantityAt(shown.httpRate, index, rateQuantity))
    setQuantity(cells.offload, quantityAt(shown.offload, index, shareQuantity))
    setQuantity(cells.viewers, quantityAt(shown.viewers, index, countQuantity))
  }

  return {
    show: (timeline) => {
      shown = timeline
      write()
    },
    hover: (index) => {
      hovered = index
      write()
    },
    words: () =>
      [time.textContent, ...Object.entries(cells).map(([name, cell]) => `${name} ${cell.textContent}`)].join(
        ', ',
      ),
  }
}

function quantityAt(
  column: readonly (number | null)[],
  index: number,
  format: (value: number) => Quantity,
): Quantity {
  const value = column[index]
  return value === null || value === undefined ? NOTHING : format(value)
}
