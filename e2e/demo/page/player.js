/* global Hls, ShoalPlayer */

/** @typedef {{ track: string, sequence: number, http: number, peers: number, seeders: number }} SegmentStats */

/**
 * What the page shows, with or without Shoal.
 *
 * @typedef {{
 *   httpBytes: number, peerBytes: number, seederBytes: number, uploadedBytes: number,
 *   peers: number, seeders: number, stalls: number,
 *   degraded: string | null, segments: readonly SegmentStats[]
 * }} Stats
 */

const KEPT_SEGMENTS = 100

/**
 * Plays a stream with hls.js, and with Shoal unless it is switched off or not built.
 *
 * @param {HTMLVideoElement} video
 * @param {{ src: string, tracker: string, p2p: boolean }} options
 */
export function play(video, { src, tracker, p2p }) {
  const hls = new Hls()
  const available = typeof ShoalPlayer !== 'undefined'
  const shoal = p2p && available ? new ShoalPlayer.Shoal(tracker === '' ? {} : { tracker }) : null
  let stats = p2p && !available ? { ...nothing(), degraded: 'not-built' } : nothing()
  if (shoal === null) {
    countHttp(hls, (counted) => {
      stats = { ...counted, degraded: stats.degraded }
    })
  } else {
    shoal.on('stats', (latest) => {
      stats = latest
    })
    shoal.attach(hls)
  }
  hls.loadSource(src)
  hls.attachMedia(video)
  // A browser that refuses to start by itself leaves it to the play button.
  video.play().catch(() => {})

  return {
    hls,
    shoal,
    /** @returns {Stats} */
    stats: () => stats,
    destroy() {
      shoal?.destroy()
      hls.destroy()
    },
  }
}

/** @returns {Stats} */
function nothing() {
  return {
    httpBytes: 0,
    peerBytes: 0,
    seederBytes: 0,
    uploadedBytes: 0,
    peers: 0,
    seeders: 0,
    stalls: 0,
    degraded: 'p2p-off',
    segments: [],
  }
}

/**
 * The same numbers for plain hls.js.
 *
 * @param {import('hls.js').default} hls
 * @param {(stats: Stats) => void} report
 */
function countHttp(hls, report) {
  let stats = nothing()
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => {
    const http = frag.stats.loaded
    const segment = { track: String(frag.level), sequence: Number(frag.sn), http, peers: 0, seeders: 0 }
    stats = {
      ...stats,
      httpBytes: stats.httpBytes + http,
      segments:
        frag.sn === 'initSegment' ? stats.segments : [...stats.segments, segment].slice(-KEPT_SEGMENTS),
    }
    report(stats)
  })
}
