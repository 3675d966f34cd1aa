/* global Hls, ShoalPlayer */
// The programs that are compared. Each makes its hls.js from the row's settings and says what it has
// counted since, in bytes of media.

/**
 * @typedef {{
 *   http: number, peers: number, seeders: number, uploaded: number, wasted: number | null, links: number,
 *   degraded: string | null, segments: readonly { sequence: number, http: number, peers: number, seeders: number }[]
 * }} Counters `wasted`: received twice or thrown away; null where the program does not tell
 *
 * @typedef {{ hls: object, p2p: object, tracker: string | null }} Settings
 */

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.onload = resolve
    script.onerror = () => reject(new Error(`${src} cannot be loaded`))
    script.src = src
    document.head.append(script)
  })
}

let P2pMediaLoader = null

const NOTHING = { http: 0, peers: 0, seeders: 0, uploaded: 0, wasted: 0, links: 0, degraded: null }

/** `load` comes before a viewer does: no program's start is a download of itself. */
window.swarmPlayers = {
  'hls.js': {
    load: async () => undefined,
    /** hls.js alone: the control. */
    create({ hls: config }) {
      const hls = new Hls(config)
      const segments = []
      let http = 0
      hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => {
        const { loaded } = frag.stats
        http += loaded
        if (frag.sn === 'initSegment') return
        segments.push({ sequence: frag.sn, http: loaded, peers: 0, seeders: 0 })
      })
      return { hls, counters: () => ({ ...NOTHING, http, segments }) }
    },
  },

  shoal: {
    load: () => loadScript('/shoal.js'),
    create({ hls: config, p2p, tracker }) {
      const hls = new Hls(config)
      const shoal = new ShoalPlayer.Shoal({ tracker, ...p2p })
      shoal.attach(hls)
      const counters = () => {
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
      return { hls, counters }
    },
  },

  'p2p-media-loader': {
    /** As its documentation has pages do it, through the import map. */
    load: async () => {
      P2pMediaLoader = await import('p2p-media-loader-hlsjs')
    },
    create({ hls: config, p2p, tracker }) {
      const Player = P2pMediaLoader.HlsJsP2PEngine.injectMixin(Hls)
      const counted = { ...NOTHING }
      const segments = []
      let whole = 0
      // No STUN server can be reached on one machine, and none is needed.
      const core = { announceTrackers: [tracker], rtcConfig: { iceServers: [] }, ...p2p }
      const onHlsJsCreated = ({ p2pEngine }) => {
        p2pEngine.addEventListener('onChunkDownloaded', (bytes, source) => {
          counted[source === 'http' ? 'http' : 'peers'] += bytes
        })
        p2pEngine.addEventListener('onChunkUploaded', (bytes) => {
          counted.uploaded += bytes
        })
        p2pEngine.addEventListener('onPeerConnect', () => {
          counted.links += 1
        })
        p2pEngine.addEventListener('onPeerClose', () => {
          counted.links -= 1
        })
        p2pEngine.addEventListener('onSegmentLoaded', ({ segmentUrl, bytesLength, downloadSource }) => {
          whole += bytesLength
          const sequence = Number(/seg-(\d+)\.\w+/.exec(segmentUrl)?.[1])
          const http = downloadSource === 'http' ? bytesLength : 0
          segments.push({ sequence, http, peers: bytesLength - http, seeders: 0 })
        })
      }
      const hls = new Player({ ...config, p2p: { core, onHlsJsCreated } })
      const wasted = () => Math.max(0, counted.http + counted.peers - whole)
      return { hls, counters: () => ({ ...counted, wasted: wasted(), segments }) }
    },
  },

  swarmcloud: {
    /** Its build with a player of its own (hls.js 1.5.7): with hls.js 1.7 it throws for each segment. */
    load: () => loadScript('/swarmcloud.js'),
    create({ hls: config, p2p }) {
      const counted = { ...NOTHING, wasted: null }
      const segments = []
      const p2pConfig = {
        ...{ logLevel: false, webRTCConfig: { iceServers: [] }, ...p2p },
        // Totals in KB, as its documentation has it.
        getStats: (peers, uploaded, http) => {
          Object.assign(counted, { peers: peers * 1024, uploaded: uploaded * 1024, http: http * 1024 })
        },
      }
      return { hls: new Hls({ ...config, p2pConfig }), counters: () => ({ ...counted, segments }) }
    },
  },
}
