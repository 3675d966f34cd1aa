/* global Hls, ShoalPlayer */
// The programs that are compared. Each takes hls.js's instance before it loads anything and says what it
// has counted since; bytes of media.

/**
 * @typedef {{
 *   http: number, peers: number, seeders: number, uploaded: number, wasted: number, links: number,
 *   degraded: string | null, segments: readonly { sequence: number, http: number, peers: number, seeders: number }[]
 * }} Counters
 */

window.swarmPlayers = {
  /** hls.js alone: the control. */
  plain(hls) {
    const segments = []
    let http = 0
    hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => {
      const { loaded } = frag.stats
      http += loaded
      if (frag.sn === 'initSegment') return
      segments.push({ sequence: frag.sn, http: loaded, peers: 0, seeders: 0 })
    })
    return () => ({ http, peers: 0, seeders: 0, uploaded: 0, wasted: 0, links: 0, degraded: null, segments })
  },

  shoal(hls, { tracker }) {
    const shoal = new ShoalPlayer.Shoal({ tracker })
    shoal.attach(hls)
    return () => {
      const { stats } = shoal
      return {
        http: stats.httpBytes,
        peers: stats.peerBytes,
        seeders: stats.seederBytes,
        uploaded: stats.uploadedBytes,
        wasted: stats.wastedBytes,
        links: stats.peers + stats.seeders,
        degraded: stats.degraded,
        segments: stats.segments,
      }
    }
  },
}
