import { counted, megabytes, percent, seconds } from './format.js'

/** @typedef {import('./player.js').Stats} Stats */

/** Why everything comes by HTTP, for people. */
const REASONS = {
  'not-built': 'the plugin is not built',
  'p2p-off': 'peers are switched off',
  'no-tracker': 'no tracker is set',
  'tracker-unreachable': 'the tracker does not answer',
  'no-webrtc': 'this browser has no WebRTC',
  'no-peers': 'nobody else is watching',
  'links-fail': 'no connection to a peer opens',
  'insecure-context': 'the page is not secure',
  'no-signature-support': 'this browser cannot check signatures',
  suspended: 'the page is asleep',
  'swarm-failed': 'the swarm has failed',
}

/** A block of the strip with its gap is at least this wide, in CSS pixels. */
const BLOCK_WIDTH = 16

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id))

/**
 * Shows the state of the moment.
 *
 * @param {Stats} stats
 * @param {import('hls.js').default} hls
 */
export function show(stats, hls) {
  const { peerBytes, seederBytes, httpBytes } = stats
  const all = peerBytes + seederBytes + httpBytes
  const shares = { peer: peerBytes, seeder: seederBytes, http: httpBytes }
  for (const [name, bytes] of Object.entries(shares)) {
    byId(`${name}-bytes`).textContent = megabytes(bytes)
    byId(`${name}-share`).textContent = percent(bytes, all)
  }
  byId('uploaded').textContent = megabytes(stats.uploadedBytes)
  byId('connections').textContent =
    `${counted(stats.peers, 'viewer', 'viewers')}, ${counted(stats.seeders, 'seeder', 'seeders')}`
  byId('quality').textContent = quality(hls)
  byId('buffer').textContent = seconds(hls.mainForwardBufferInfo?.len ?? 0)
  byId('latency').textContent = seconds(hls.latency)
  byId('latency-row').hidden = !isLive(hls)
  byId('stalls').textContent = String(stats.stalls)
  showState(stats)
  byId('sentence').className = ''
  byId('sentence').replaceChildren(...sentence(stats, all))
  showShares([peerBytes, seederBytes, httpBytes], all)
  showStrip(stats.segments)
}

/**
 * Says instead of all numbers that nothing can be played.
 *
 * @param {string} problem for people
 */
export function showProblem(problem) {
  byId('state').className = 'chip'
  byId('state').textContent = 'Not playing'
  byId('sentence').className = 'problem'
  byId('sentence').textContent = problem
}

/** @param {Stats} stats */
function showState({ degraded }) {
  const state = byId('state')
  state.className = degraded === null ? 'chip helping' : 'chip'
  state.textContent = degraded === null ? 'Peers are helping' : `HTTP only: ${REASONS[degraded] ?? degraded}`
}

/**
 * @param {Stats} stats
 * @param {number} all
 * @returns {(string | Node)[]}
 */
function sentence({ peerBytes, seederBytes, uploadedBytes, degraded }, all) {
  if (all === 0) return ['Nothing has been loaded yet.']
  const given = uploadedBytes > 0 ? ` You gave ${megabytes(uploadedBytes)} to other viewers.` : ''
  const viewers = document.createElement('b')
  viewers.textContent = percent(peerBytes, all)
  if (peerBytes > 0) {
    const rest = seederBytes > 0 ? `, and ${percent(seederBytes, all)} from seeders.` : '.'
    return [viewers, ` of what you are watching came from other viewers${rest}${given}`]
  }
  if (seederBytes > 0) {
    return [
      `${percent(seederBytes, all)} of what you are watching came from seeders, nothing yet from other viewers.${given}`,
    ]
  }
  const why = degraded === null ? 'peers have just connected' : (REASONS[degraded] ?? degraded)
  return [`Everything you are watching came from the origin by HTTP: ${why}.${given}`]
}

/** @param {number[]} parts @param {number} all */
function showShares(parts, all) {
  const bar = byId('shares')
  bar.setAttribute(
    'aria-label',
    `${percent(parts[0], all)} from viewers, ${percent(parts[1], all)} from seeders, ${percent(parts[2], all)} by HTTP`,
  )
  for (const [index, part] of [...bar.children].entries()) {
    part.style.width = all === 0 ? '0' : `${(100 * parts[index]) / all}%`
  }
}

/** @param {Stats['segments']} segments */
function showStrip(segments) {
  const strip = byId('strip')
  const room = Math.max(1, Math.floor(strip.clientWidth / BLOCK_WIDTH))
  const blocks = segments.slice(-room).map(block)
  const empty = Array.from({ length: room - blocks.length }, () => {
    const item = document.createElement('li')
    item.className = 'empty'
    return item
  })
  strip.replaceChildren(...blocks, ...empty)
}

/** @param {Stats['segments'][number]} segment */
function block({ sequence, http, peers, seeders }) {
  const all = http + peers + seeders
  const item = document.createElement('li')
  item.title =
    `Segment ${sequence}, ${megabytes(all)}: ${percent(peers, all)} viewers, ` +
    `${percent(seeders, all)} seeders, ${percent(http, all)} HTTP`
  for (const [source, bytes] of Object.entries({ http, seeders, peers })) {
    if (bytes === 0) continue
    const part = document.createElement('i')
    part.className = source
    part.style.height = `${(100 * bytes) / all}%`
    item.append(part)
  }
  return item
}

/** @param {import('hls.js').default} hls */
function quality(hls) {
  const level = hls.levels[hls.currentLevel]
  return level === undefined ? '–' : `${level.height}p, ${(level.bitrate / 1e6).toFixed(1)} Mbit/s`
}

/** @param {import('hls.js').default} hls */
function isLive(hls) {
  return hls.latestLevelDetails?.live === true
}
