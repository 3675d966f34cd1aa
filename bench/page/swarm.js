/* global Hls */
// One viewer of the swarm benchmark: a video, one of `swarmPlayers`, and what was observed.

const video = document.querySelector('video')

/**
 * A stall: the clock has not moved for this long, in ms, and the buffer has run dry (less than
 * DRY_SECONDS ahead), or for STUCK_MS whatever is buffered. A busy machine drops a frame or two with
 * seconds of video in the buffer: that is not what a stall means.
 */
const STANDSTILL_MS = 250
const STUCK_MS = 1000
const DRY_SECONDS = 1
/** Between looks at the video, in ms. */
const LOOK_MS = 50
const SAMPLE_MS = 1000
/** From a fatal error to the next try, in ms. */
const RECOVERY_MS = 1000
/** Bound of every list: half an hour of samples. */
const KEPT = 2000

/** Times are Unix times in ms unless they are called durations. */
const observed = {
  startedAt: null,
  firstFrameMs: null,
  firstPeerByteMs: null,
  stalls: [],
  fatal: [],
  fragments: [],
  samples: [],
  /** Milliseconds by which the looks came late: what the page's thread had to wait for. */
  lateMs: { count: 0, sum: 0, max: 0, over100: 0 },
}
let hls = null
let counters = null
let playedSeconds = 0

function now() {
  return performance.timeOrigin + performance.now()
}

function keep(list, entry) {
  if (list.length < KEPT) list.push(entry)
  return entry
}

function bufferedAhead() {
  for (let i = 0; i < video.buffered.length; i++) {
    const inside = video.buffered.start(i) <= video.currentTime + 0.1
    if (inside && video.buffered.end(i) > video.currentTime) return video.buffered.end(i) - video.currentTime
  }
  return 0
}

/** Seconds from the media's own date to now; null where the playlist has no dates. */
function latency() {
  const date = hls.playingDate
  return date === null ? null : (now() - date.getTime()) / 1000
}

function watch() {
  let lastTime = -1
  let lastMoved = performance.now()
  let lastLook = performance.now()
  let stall = null
  setInterval(() => {
    const at = performance.now()
    const late = Math.max(0, at - lastLook - LOOK_MS)
    lastLook = at
    const { lateMs } = observed
    lateMs.count += 1
    lateMs.sum += late
    lateMs.max = Math.max(lateMs.max, late)
    if (late > 100) lateMs.over100 += 1

    if (observed.firstPeerByteMs === null) {
      const { peers, seeders } = counters()
      if (peers + seeders > 0) observed.firstPeerByteMs = now() - observed.startedAt
    }
    // A jump to the live edge is not play.
    const moved = video.currentTime - lastTime
    if (lastTime >= 0 && moved > 0 && moved < 2 * ((LOOK_MS + late) / 1000)) playedSeconds += moved

    const wanted = observed.firstFrameMs !== null && !video.paused && !video.seeking && !video.ended
    if (!wanted || video.currentTime !== lastTime) {
      lastTime = video.currentTime
      lastMoved = at
      stall = null
      return
    }
    const ahead = bufferedAhead()
    if (at - lastMoved < (ahead < DRY_SECONDS ? STANDSTILL_MS : STUCK_MS)) return
    stall ??= keep(observed.stalls, { at: now() - (at - lastMoved), ms: 0, ahead })
    stall.ms = at - lastMoved
  }, LOOK_MS)
}

function sample() {
  const { http, peers, seeders, uploaded, links } = counters()
  keep(observed.samples, {
    at: now(),
    latency: observed.firstFrameMs === null ? null : latency(),
    ahead: bufferedAhead(),
    ...{ http, peers, seeders, uploaded, links },
  })
}

/** What a trace is made of: when each segment was asked for, how far off it was, when it was there. */
function followFragments() {
  const open = new Map()
  hls.on(Hls.Events.FRAG_LOADING, (_event, { frag }) => {
    if (frag.sn === 'initSegment' || frag.type !== 'main') return
    const until = Math.max(0, frag.start - video.currentTime) * 1000
    const entry = {
      ...{ sequence: frag.sn, askedAt: now(), ahead: bufferedAhead(), untilMs: until },
      ...{ links: counters().links, loadedAt: null },
    }
    open.set(frag.sn, keep(observed.fragments, entry))
  })
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => {
    const entry = open.get(frag.sn)
    if (entry !== undefined) entry.loadedAt = now()
    open.delete(frag.sn)
  })
}

/** As hls.js's documentation has sites do it, in any row. */
function recover(type, details, src) {
  if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError()
  else if (details.startsWith('manifest')) setTimeout(() => hls.loadSource(src), RECOVERY_MS)
  else setTimeout(() => hls.startLoad(), RECOVERY_MS)
}

function begin({ src, player, tracker }) {
  observed.startedAt = now()
  hls = new Hls()
  counters = window.swarmPlayers[player](hls, { tracker })
  hls.on(Hls.Events.ERROR, (_event, { fatal, details, type }) => {
    if (!fatal) return
    keep(observed.fatal, details)
    recover(type, details, src)
  })
  followFragments()
  video.requestVideoFrameCallback(() => {
    observed.firstFrameMs = now() - observed.startedAt
  })
  watch()
  setInterval(sample, SAMPLE_MS)
  hls.loadSource(src)
  hls.attachMedia(video)
  video.play().catch((error) => keep(observed.fatal, String(error)))
}

window.viewer = {
  /** @param {{ at: number, src: string, player: string, tracker: string | null }} options */
  start(options) {
    setTimeout(() => begin(options), Math.max(0, options.at - now()))
  },

  read() {
    const quality = video.getVideoPlaybackQuality()
    return {
      ...observed,
      counters: counters === null ? null : counters(),
      playedSeconds,
      frames: quality.totalVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
    }
  },
}
