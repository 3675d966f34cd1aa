import type { TrackerStats } from '@shoal/protocol'
import { byId, makeBar, setBar, setQuantity, setText } from './dom.js'
import {
  bytesQuantity,
  countQuantity,
  durationText,
  NOTHING,
  rateQuantity,
  shareQuantity,
  sourcesText,
  textOf,
  viewersText,
} from './format.js'
import { bySourceOf, offloadOf } from './offload.js'
import { ratesNow } from './samples.js'
import { type SwarmState, uploadRate } from './state.js'

/** The numbers above the charts, and the footer's. */
export interface Tiles {
  readonly show: (state: SwarmState) => void
}

export function makeTiles(): Tiles {
  const cell = (id: string): HTMLElement => byId(id, HTMLElement)
  const nowBar = makeBar()
  const overallBar = makeBar()
  cell('offload-now-bar').append(nowBar)
  cell('offload-overall-bar').append(overallBar)

  return {
    show: (state) => {
      const { stats } = state
      if (stats === null) return
      const rates = ratesNow(state.samples)
      const totals = bySourceOf(stats.totals)

      const now = rates === null ? null : offloadOf(rates)
      setQuantity(cell('offload-now'), shareQuantity(now))
      setQuantity(cell('offload-overall'), shareQuantity(offloadOf(totals)))
      setBar(nowBar, rates ?? { peers: 0, seeders: 0, http: 0 }, nowWords(now))
      setBar(overallBar, totals, `All bytes: ${sourcesText(totals)}`)

      setQuantity(cell('viewers'), countQuantity(stats.viewers))
      setText(cell('viewers-more'), `peak ${textOf(countQuantity(peakOf(state)))} in 10 min`)
      setQuantity(cell('seeders'), countQuantity(stats.seeders))
      setText(cell('seeders-more'), othersText(stats.others))
      setQuantity(cell('swarm-count'), countQuantity(stats.swarms))
      setText(cell('swarm-count-more'), largestText(stats))
      setQuantity(cell('stalls'), countQuantity(stats.totals.stalls))
      setText(cell('stalls-more'), `+${textOf(countQuantity(state.newStalls))} since page opened`)

      const uploaded = uploadRate(state)
      const byteTiles = [
        ['from-peers', rates?.peers ?? null, totals.peers],
        ['from-seeders', rates?.seeders ?? null, totals.seeders],
        ['from-http', rates?.http ?? null, totals.http],
        ['uploaded', uploaded, stats.totals.uploadedBytes],
      ] as const
      for (const [id, rate, total] of byteTiles) {
        setQuantity(cell(id), rate === null ? NOTHING : rateQuantity(rate))
        setText(cell(`${id}-more`), `${textOf(bytesQuantity(total))} in total`)
      }

      showFooter(cell, stats)
    },
  }
}

function showFooter(cell: (id: string) => HTMLElement, stats: TrackerStats): void {
  setText(cell('version'), stats.version)
  setText(cell('engine'), stats.engine === 'uws' ? 'uWebSockets.js' : 'ws')
  setText(cell('uptime'), durationText(stats.uptimeSeconds))
  setText(cell('sockets'), textOf(countQuantity(stats.sockets)))
}

function nowWords(offload: number | null): string {
  return offload === null
    ? 'Now: nothing is being fetched'
    : `Now: ${textOf(shareQuantity(offload))} from peers and seeders`
}

function largestText(stats: TrackerStats): string {
  if (stats.top.length === 0) return 'none open'
  return `largest: ${viewersText(Math.max(...stats.top.map((swarm) => swarm.viewers)))}`
}

function othersText(others: number): string {
  if (others === 0) return 'no other clients'
  return `+${textOf(countQuantity(others))} other ${others === 1 ? 'client' : 'clients'}`
}

function peakOf(state: SwarmState): number {
  return state.samples.reduce((peak, sample) => Math.max(peak, sample.viewers), state.stats?.viewers ?? 0)
}
