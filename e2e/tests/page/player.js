/* global Hls, ShoalPlayer */
// The page that browser tests drive: one hls.js player, with or without Shoal, and what it observed.

const video = document.querySelector('video')

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
    const { stalls } = observed
    window.watch.watchVideo(video, { started: () => observed.startupMs !== null, stalls, graceMs: 1000 })
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
