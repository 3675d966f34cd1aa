import type { SwarmStats } from '@shoal/protocol'
import { copyText } from './clipboard.js'
import { byId, make, makeBar, setBar, setQuantity, setText } from './dom.js'
import {
  bytesQuantity,
  countQuantity,
  readableName,
  shareQuantity,
  shortHash,
  sourcesText,
} from './format.js'
import { bySourceOf, offloadOf, sumOf } from './offload.js'
import {
  chosenOrder,
  DEFAULT_ORDER,
  heldSwarms,
  type SortKey,
  type SortOrder,
  sortedSwarms,
} from './order.js'

const KEYS: readonly SortKey[] = ['name', 'viewers', 'seeders', 'others', 'bytes', 'offload']

/** How long a hash says that it was copied, in ms. */
const COPIED_MS = 1_500

/** The table of swarms. */
export interface SwarmTable {
  readonly show: (swarms: readonly SwarmStats[]) => void
}

interface Row {
  readonly element: HTMLTableRowElement
  readonly update: (swarm: SwarmStats) => void
}

/** @param say reads a short text aloud */
export function makeTable(say: (text: string) => void): SwarmTable {
  const table = byId('swarms', HTMLTableElement)
  const body = byId('swarm-rows', HTMLTableSectionElement)
  const heads = new Map(KEYS.map((key) => [key, byId(`by-${key}`, HTMLTableCellElement)]))
  const rows = new Map<string, Row>()
  let order: SortOrder = DEFAULT_ORDER
  let latest: readonly SwarmStats[] = []
  let shown: readonly string[] = []

  const markOrder = (): void => {
    for (const [key, head] of heads) {
      if (key === order.key) head.setAttribute('aria-sort', order.descending ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
    }
  }

  const render = (swarms: readonly SwarmStats[]): void => {
    for (const infoHash of [...rows.keys()]) {
      if (swarms.some((swarm) => swarm.infoHash === infoHash)) continue
      rows.get(infoHash)?.element.remove()
      rows.delete(infoHash)
    }
    for (const [place, swarm] of swarms.entries()) {
      const row = rows.get(swarm.infoHash) ?? makeRow(swarm.infoHash, say)
      rows.set(swarm.infoHash, row)
      row.update(swarm)
      // Moving an element that is in its place would take its focus away.
      if (body.children[place] !== row.element) body.insertBefore(row.element, body.children[place] ?? null)
    }
    shown = swarms.map((swarm) => swarm.infoHash)
  }

  for (const [key, head] of heads) {
    head.querySelector('button')?.addEventListener('click', () => {
      order = chosenOrder(order, key)
      markOrder()
      render(sortedSwarms(latest, order))
    })
  }
  markOrder()
  keepRoles(table)

  return {
    show: (swarms) => {
      latest = swarms
      table.hidden = swarms.length === 0
      // Rows that trade places under a pointer or a focus lead to the wrong one being read or clicked.
      const held = body.matches(':hover, :focus-within')
      render(held ? heldSwarms(swarms, shown) : sortedSwarms(swarms, order))
    },
  }
}

/** Laid out as cards on a narrow screen, a table is no longer one to some browsers: its roles are spelt out. */
function keepRoles(table: HTMLTableElement): void {
  const roles = { thead: 'rowgroup', tbody: 'rowgroup', tr: 'row', th: 'columnheader' }
  table.setAttribute('role', 'table')
  for (const [tag, role] of Object.entries(roles)) {
    for (const element of table.querySelectorAll(tag)) element.setAttribute('role', role)
  }
}

function makeRow(infoHash: string, say: (text: string) => void): Row {
  const name = make('span', 'name')
  name.dir = 'auto'
  const viewers = make('td', 'count')
  const seeders = make('td', 'count')
  const others = make('td', 'count')
  const bar = makeBar()
  const bytes = make('span', 'amount')
  const offload = make('td', 'share')
  const cells: readonly (readonly [label: string, cell: HTMLTableCellElement])[] = [
    ['Swarm', make('td', 'title', make('span', 'title-line', name, makeHash(infoHash, say)))],
    ['Viewers', viewers],
    ['Seeders', seeders],
    ['Others', others],
    ['Bytes', make('td', 'bytes', make('span', 'bytes-line', bar, bytes))],
    ['Offload', offload],
  ]
  for (const [label, cell] of cells) {
    cell.dataset['label'] = label
    cell.setAttribute('role', 'cell')
    // Laid out as cards on a narrow screen, a table is no longer one to some browsers.
    cell.setAttribute('role', 'cell')
  }
  const element = make('tr', '', ...cells.map(([, cell]) => cell))
  element.setAttribute('role', 'row')

  return {
    element,
    update: (swarm) => {
      const title = readableName(swarm.name)
      setText(name, title ?? 'unnamed')
      name.classList.toggle('unnamed', title === null)
      if (title !== null && name.title !== title) name.title = title
      setQuantity(viewers, countQuantity(swarm.viewers))
      setQuantity(seeders, countQuantity(swarm.seeders))
      setQuantity(others, countQuantity(swarm.others))
      const sources = bySourceOf(swarm)
      setBar(bar, sources, sourcesText(sources))
      setQuantity(bytes, bytesQuantity(sumOf(sources)))
      setQuantity(offload, shareQuantity(offloadOf(sources)))
    },
  }
}

function makeHash(infoHash: string, say: (text: string) => void): HTMLButtonElement {
  const short = shortHash(infoHash)
  const button = make('button', 'hash', short)
  button.type = 'button'
  button.title = `${infoHash} (click to copy)`
  button.ariaLabel = `Copy info hash ${infoHash}`
  button.addEventListener('click', () => {
    void copyText(infoHash).then((copied) => {
      setText(button, copied ? 'copied' : 'refused')
      say(copied ? 'Info hash copied' : 'The browser refused to copy')
      setTimeout(() => setText(button, short), COPIED_MS)
    })
  })
  return button
}
