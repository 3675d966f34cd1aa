/* global Hls */
// hls.js with p2p-media-loader, as its documentation has pages use it.

import { HlsJsP2PEngine } from 'p2p-media-loader-hlsjs'

const counted = { http: 0, peers: 0, uploaded: 0, warnings: [] }

window.p2pMediaLoader = {
  /** @param {{ src: string, tracker: string }} options */
  start({ src, tracker }) {
    const Player = HlsJsP2PEngine.injectMixin(Hls)
    // No STUN server can be reached on one machine, and none is needed.
    const core = { announceTrackers: [tracker], rtcConfig: { iceServers: [] } }
    const onHlsJsCreated = ({ p2pEngine }) => {
      p2pEngine.addEventListener('onChunkDownloaded', (bytes, source) => {
        counted[source === 'http' ? 'http' : 'peers'] += bytes
      })
      p2pEngine.addEventListener('onChunkUploaded', (bytes) => {
        counted.uploaded += bytes
      })
      for (const event of ['onTrackerWarning', 'onTrackerError']) {
        p2pEngine.addEventListener(event, ({ warning, error }) => {
          if (counted.warnings.length < 20) counted.warnings.push(`${event}: ${warning ?? error}`)
        })
      }
    }
    // With hls.js's worker its stored segments are taken away from it.
    const hls = new Player({ enableWorker: false, p2p: { core, onHlsJsCreated } })
    hls.loadSource(src)
    hls.attachMedia(document.querySelector('video'))
  },

  counted: () => counted,
}
