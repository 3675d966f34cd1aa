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
 * @throws {Error} where `tracker` is no URL of a tracker
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
  /** @type {string | null} */
  let problem = null
  hls.on(Hls.Events.ERROR, (_event, { fatal, details, response, url }) => {
    if (fatal) problem = problemOf(details, response?.code, url ?? src)
  })
  hls.loadSource(src)
  hls.attachMedia(video)
  // A browser that refuses to start by itself leaves it to the play button.
  video.play().catch(() => {})

  return {
    hls,
    shoal,
    /** @returns {Stats} */
    stats: () => stats,
    /** Why playback has ended, for people; null while it goes on. */
    problem: () => problem,
    destroy() {
      shoal?.destroy()
      hls.destroy()
    },
  }
}

/**
 * @param {string} details hls.js's name of the error
 * @param {number | undefined} status of HTTP
 * @param {string} url
 */
function problemOf(details, status, url) {
  if (details === 'manifestParsingError')
    return `${url} is not an HLS playlist: give the URL of a .m3u8 playlist.`
  if (status) return `${url} answered HTTP ${status}: check the URL.`
  if (/Load(Error|TimeOut)$/.test(details)) {
    return `${url} cannot be loaded: check that the server runs and allows this page (CORS).`
  }
  return `hls.js has given up: ${details}.`
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
