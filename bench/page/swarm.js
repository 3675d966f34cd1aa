/* global Hls */
// One viewer of the swarm benchmark: a video, one of `swarmPlayers`, and what was observed.

const video = document.querySelector('video')

const SAMPLE_MS = 1000
/** From a fatal error to the next try, in ms. */
const RECOVERY_MS = 1000
/** Bound of every list: half an hour of samples. */
const KEPT = 2000
const { channels, watch } = window

/** Times are Unix times in ms unless they are called durations. */
const observed = {
  startedAt: null,
  firstFrameMs: null,
  stalls: [],
  fatal: [],
  /** What nobody caught. */
  errors: [],
  /** hls.js's errors that are not fatal, by name. */
  warnings: {},
  fragments: [],
  samples: [],
  /** Milliseconds by which the looks came late: what the page's thread had to wait for. */
  lateMs: { count: 0, sum: 0, max: 0, over100: 0 },
  playedSeconds: 0,
  /** Of what was shown: changes of level, seconds, and bits by the multivariant playlist. */
  levels: { switches: 0, seconds: 0, bits: 0 },
}
let hls = null
let counters = null

function now() {
  return performance.timeOrigin + performance.now()
}

function keep(list, entry) {
  if (list.length < KEPT) list.push(entry)
  return entry
}

window.addEventListener('error', ({ message }) => keep(observed.errors, String(message).slice(0, 300)))
window.addEventListener('unhandledrejection', ({ reason }) => {
  keep(observed.errors, String(reason?.stack ?? reason).slice(0, 300))
})

/** Seconds from the media's own date to now; null where the playlist has no dates. */
function latency() {
  const date = hls.playingDate
  return date === null ? null : (now() - date.getTime()) / 1000
}

function look(moved, late) {
  const { lateMs } = observed
  lateMs.count += 1
  lateMs.sum += late
  lateMs.max = Math.max(lateMs.max, late)
  if (late > 100) lateMs.over100 += 1
  observed.playedSeconds += moved
}

function sample() {
  const { http, peers, seeders, uploaded, links } = counters()
  keep(observed.samples, {
    at: now(),
    latency: observed.firstFrameMs === null ? null : latency(),
    ahead: watch.bufferedAhead(video),
    ...{ http, peers, seeders, uploaded, links },
    heapBytes: performance.memory?.usedJSHeapSize ?? null,
  })
}

async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What a trace is made of: when each segment was asked for, how far off it was, when it was there. */
function followFragments(digests) {
  const open = new Map()
  hls.on(Hls.Events.FRAG_LOADING, (_event, { frag }) => {
    if (frag.sn === 'initSegment' || frag.type !== 'main') return
    const until = Math.max(0, frag.start - video.currentTime) * 1000
    const track = new URL(frag.url).pathname.split('/').at(-2)
    const entry = {
      ...{ sequence: frag.sn, track, askedAt: now(), ahead: watch.bufferedAhead(video), untilMs: until },
      ...{ links: counters().links, loadedAt: null, digest: null },
    }
    open.set(frag.url, keep(observed.fragments, entry))
  })
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag, payload }) => {
    const entry = open.get(frag.url)
    open.delete(frag.url)
    if (entry === undefined) return
    entry.loadedAt = now()
    // With a worker it is gone by now.
    if (!digests) return
    digestOf(payload).then((digest) => {
      entry.digest = digest
    })
  })
}

function followLevels() {
  const { levels } = observed
  let shown = null
  hls.on(Hls.Events.FRAG_CHANGED, (_event, { frag }) => {
    if (shown !== null && frag.level !== shown) levels.switches += 1
    shown = frag.level
    levels.seconds += frag.duration
    levels.bits += frag.duration * (hls.levels[frag.level]?.bitrate ?? 0)
  })
}

/** As hls.js's documentation has sites do it, in any row. */
function recover(type, details, src) {
  if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError()
  else if (details.startsWith('manifest')) setTimeout(() => hls.loadSource(src), RECOVERY_MS)
  else setTimeout(() => hls.startLoad(), RECOVERY_MS)
}

function begin(player, { src, settings, digests }) {
  observed.startedAt = now()
  const made = player.create(settings)
  hls = made.hls
  counters = made.counters
  hls.on(Hls.Events.ERROR, (_event, { fatal, details, type }) => {
    if (!fatal) {
      observed.warnings[details] = (observed.warnings[details] ?? 0) + 1
      return
    }
    keep(observed.fatal, details)
    recover(type, details, src)
  })
  followFragments(digests)
  followLevels()
  video.requestVideoFrameCallback(() => {
    observed.firstFrameMs = now() - observed.startedAt
  })
  const { stalls } = observed
  watch.watchVideo(video, { started: () => observed.firstFrameMs !== null, stalls, graceMs: 0, look })
  setInterval(sample, SAMPLE_MS)
  hls.loadSource(src)
  hls.attachMedia(video)
  video.play().catch((error) => keep(observed.fatal, String(error)))
}

let player = null

window.viewer = {
  /** Loads the program, so that its start is no download: the same for all. */
  async prepare(name) {
    player = window.swarmPlayers[name]
    await player.load()
  },

  /** @param {{ at: number, src: string, settings: object, digests: boolean }} options */
  start(options) {
    setTimeout(() => begin(player, options), Math.max(0, options.at - now()))
  },

  read() {
    const quality = video.getVideoPlaybackQuality()
    const { startedAt } = observed
    const { firstMediaAt, ...wire } = channels
    return {
      ...observed,
      readAt: now(),
      wire,
      firstPeerByteMs: firstMediaAt === null || startedAt === null ? null : firstMediaAt - startedAt,
      counters: counters === null ? null : counters(),
      frames: quality.totalVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
    }
  },
}
