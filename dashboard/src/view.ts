import { makeCharts } from './chart.js'
import { copyText } from './clipboard.js'
import { byId, setText } from './dom.js'
import { countQuantity, shareQuantity, textOf, viewersText } from './format.js'
import { makeLegend } from './legend.js'
import { offloadOf } from './offload.js'
import { ratesNow, timelineOf } from './samples.js'
import { type Beginning, beginningOf, type SwarmState } from './state.js'
import type { Status } from './status.js'
import { makeTable } from './table.js'
import { makeTiles } from './tiles.js'

/** The page. It shows what it is told and asks nothing but to try again. */
export interface View {
  readonly showStatus: (status: Status) => void
  readonly showState: (state: SwarmState) => void
  /** Names the tab, which is all that is seen of a page in the background. */
  readonly showTitle: (state: SwarmState, status: Status) => void
}

export interface ViewActions {
  readonly retry: () => void
  /** Where peers and seeders announce, for the instructions of an unused tracker. */
  readonly trackerUrl: string
}

const BEGINNINGS: Readonly<Record<Beginning, string>> = {
  unused: 'No viewers yet',
  seeded: 'No viewers yet: the seeders are waiting',
}

export function makeView(actions: ViewActions): View {
  const root = document.documentElement
  const spoken = byId('spoken', HTMLElement)
  const say = (text: string): void => setText(spoken, text)

  const headline = byId('status-headline', HTMLElement)
  const detail = byId('status-detail', HTMLElement)
  const retry = byId('retry', HTMLButtonElement)
  retry.addEventListener('click', actions.retry)

  const tiles = makeTiles()
  const table = makeTable(say)
  const legend = makeLegend()
  const charts = makeCharts(byId('rates', HTMLElement), byId('audience', HTMLElement), {
    hover: legend.hover,
    moved: () => say(legend.words()),
  })
  const note = byId('swarms-note', HTMLElement)
  const listed = byId('swarms-listed', HTMLElement)
  const help = byId('help', HTMLElement)
  const helpTitle = byId('help-title', HTMLElement)
  const helpToSeed = byId('help-to-seed', HTMLElement)
  fillInstructions(actions.trackerUrl, say)

  return {
    showStatus: (status) => {
      root.dataset['tone'] = status.tone
      root.classList.toggle('stale', status.stale)
      setText(headline, status.headline)
      setText(detail, status.detail)
      retry.classList.toggle('offered', status.tone === 'away')
      retry.disabled = status.tone !== 'away'
    },
    showState: (state) => {
      const { stats } = state
      tiles.show(state)
      const timeline = timelineOf(state.samples)
      charts.show(timeline)
      legend.show(timeline)
      if (stats === null) return
      table.show(stats.top)
      note.hidden = stats.top.length > 0
      setText(note, 'No swarm is open.')
      setText(
        listed,
        stats.swarms > stats.top.length
          ? `the ${stats.top.length} with most viewers of ${textOf(countQuantity(stats.swarms))}`
          : '',
      )
      const beginning = beginningOf(stats)
      help.hidden = beginning === null
      helpToSeed.hidden = beginning === 'seeded'
      if (beginning !== null) setText(helpTitle, BEGINNINGS[beginning])
    },
    showTitle: (state, status) => {
      document.title = titleOf(state, status)
    },
  }
}

function titleOf({ stats, samples }: SwarmState, status: Status): string {
  if (status.tone === 'away') return `${status.headline} · Shoal`
  if (stats === null) return 'Shoal'
  const rates = ratesNow(samples)
  const offload = rates === null ? null : offloadOf(rates)
  const viewers = viewersText(stats.viewers)
  return offload === null ? `${viewers} · Shoal` : `${textOf(shareQuantity(offload))} · ${viewers} · Shoal`
}

function fillInstructions(trackerUrl: string, say: (text: string) => void): void {
  const command = `npx shoal-seeder SOURCE --tracker ${trackerUrl}`
  setText(byId('seed-command', HTMLElement), command)
  setText(byId('tracker-url', HTMLElement), trackerUrl)
  byId('copy-command', HTMLButtonElement).addEventListener('click', () => {
    void copyText(command).then((copied) => say(copied ? 'Command copied' : 'The browser refused to copy'))
  })
}
