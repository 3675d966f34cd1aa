import { play } from './player.js'
import { show, showProblem } from './view.js'

/**
 * The demo player. Query: `src` (playlist), `tracker` (`ws://`, empty for none), `p2p=0` (plain hls.js),
 * `tab` (`vod` or `live`). Tests reach the player at `window.__shoal`.
 */
const query = new URLSearchParams(location.search)
const config = await (await fetch('config.json')).json()
const own = query.get('src')
const tabs = [
  ...(own === null ? [] : [{ id: 'src', name: 'Yours', src: own }]),
  { id: 'vod', name: 'VOD', src: config.vod },
  { id: 'live', name: 'Live', src: config.live },
]
const options = { tracker: query.get('tracker') ?? config.tracker, p2p: query.get('p2p') !== '0' }

const video = /** @type {HTMLVideoElement} */ (document.getElementById('video'))
/** @type {ReturnType<typeof play> | null} */
let player = null

/** @param {Record<string, string>} changes */
function address(changes) {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value)
  return url.href
}

/** @param {string | null} id */
function open(id) {
  const tab = tabs.find((candidate) => candidate.id === id) ?? tabs[0]
  player?.destroy()
  player = null
  for (const link of document.querySelectorAll('#tabs a')) {
    if (link.dataset.tab === tab.id) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  document.getElementById('another').href = address({ tab: tab.id })
  document.getElementById('plain').href = address({ tab: tab.id, p2p: '0' })
  try {
    player = play(video, { ...options, src: tab.src })
  } catch (error) {
    // What the address gives as tracker is none.
    document.body.className = 'blank'
    showProblem(error instanceof Error ? error.message : String(error))
    return
  }
  window.__shoal = { hls: player.hls, shoal: player.shoal, video }
  refresh()
}

function refresh() {
  if (player === null) return
  show(player.stats(), player.hls)
  const problem = player.problem()
  if (problem !== null) showProblem(problem)
}

for (const { id, name } of tabs) {
  const link = document.createElement('a')
  link.href = address({ tab: id })
  link.dataset.tab = id
  link.textContent = name
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    history.replaceState(null, '', link.href)
    open(id)
  })
  document.getElementById('tabs').append(link)
}

document.getElementById('dashboard').href = config.dashboard
const toggle = document.getElementById('toggle')
const overlay = document.getElementById('overlay')
toggle.addEventListener('click', () => {
  overlay.hidden = !overlay.hidden
  toggle.setAttribute('aria-expanded', String(!overlay.hidden))
  toggle.textContent = overlay.hidden ? 'Show numbers' : 'Hide numbers'
})

open(query.get('tab'))
setInterval(refresh, 500)
