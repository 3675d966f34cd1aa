/* global Hls, ShoalPlayer */
// The page that browser tests drive: one hls.js player, with or without Shoal, and what it observed.

const video = document.querySelector('video')

/**
 * A stall: the clock has not moved for this long, in ms, and the buffer has run dry (less than
 * DRY_SECONDS ahead), or for STUCK_MS whatever is buffered. A busy machine drops a frame or two
 * with seconds of video in the buffer: that is not what a stall means.
 */
const STANDSTILL_MS = 250
const STUCK_MS = 1000
const DRY_SECONDS = 1

const observed = {
  startedAt: 0,
  startupMs: null,
  stalls: [],
  fatal: [],
  warnings: [],
  digests: [],
}
let hls = null
let shoal = null
let seekedAt = 0

function bufferedAhead() {
  for (let i = 0; i < video.buffered.length; i++) {
    const inside = video.buffered.start(i) <= video.currentTime + 0.1
    if (inside && video.buffered.end(i) > video.currentTime) return video.buffered.end(i) - video.currentTime
  }
  return 0
}

/** Standing still after the start, other than by pause, seek or end. */
function watchForStalls() {
  let lastTime = -1
  let lastMoved = performance.now()
  let stall = null
  setInterval(() => {
    const now = performance.now()
    const wanted = observed.startupMs !== null && !video.paused && !video.seeking && !video.ended
    if (!wanted || video.currentTime !== lastTime || now - seekedAt < 1000) {
      lastTime = video.currentTime
      lastMoved = now
      stall = null
      return
    }
    const buffered = bufferedAhead()
    if (now - lastMoved < (buffered < DRY_SECONDS ? STANDSTILL_MS : STUCK_MS)) return
    if (stall === null) {
      stall = { at: video.currentTime, ms: 0, buffered }
      observed.stalls.push(stall)
    }
    stall.ms = Math.round(now - lastMoved)
  }, 50)
}

video.addEventListener('seeking', () => {
  seekedAt = performance.now()
})
video.addEventListener('seeked', () => {
  seekedAt = performance.now()
})

async function hex(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

window.player = {
  /** @param {{ src: string, hls?: object, shoal?: object | null, digests?: boolean }} options */
  start(options) {
    hls = new Hls(options.hls ?? {})
    if (options.shoal) {
      shoal = new ShoalPlayer.Shoal(options.shoal)
      shoal.on('warning', (warning) => observed.warnings.push(warning))
      shoal.attach(hls)
    }
    hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => {
      if (fatal) observed.fatal.push(details)
    })
    if (options.digests) {
      hls.on(Hls.Events.FRAG_LOADED, (_event, { frag, payload }) => {
        if (frag.sn !== 'initSegment') {
          hex(payload).then((digest) => observed.digests.push({ url: frag.url, digest }))
        }
      })
    }
    observed.startedAt = performance.now()
    video.addEventListener(
      'playing',
      () => {
        observed.startupMs ??= Math.round(performance.now() - observed.startedAt)
      },
      { once: true },
    )
    watchForStalls()
    hls.loadSource(options.src)
    hls.attachMedia(video)
    video.play().catch(() => undefined)
  },

  state() {
    const quality = video.getVideoPlaybackQuality()
    const buffered = video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) : 0
    return {
      ...observed,
      currentTime: video.currentTime,
      bufferedSeconds: Math.max(0, buffered - video.currentTime),
      frames: quality.totalVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
      ended: video.ended,
      paused: video.paused,
      width: video.videoWidth,
      latency: hls?.latency ?? 0,
      level: hls?.currentLevel ?? -1,
      loadLevel: hls?.loadLevel ?? -1,
      levels: hls?.levels.map((level) => level.height) ?? [],
      stats: shoal?.stats ?? null,
    }
  },

  get hls() {
    return hls
  },
  get shoal() {
    return shoal
  },

  destroy() {
    shoal?.destroy()
    hls?.destroy()
    shoal = null
    hls = null
  },
}
