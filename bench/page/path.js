// Leads this page's peer connections over the emulated path, where there is one: candidates of other ends get
// the port of a relay that stands for them. Comes before all other scripts.

/** `mirrorPort` is exposed by bench/src/swarm-path.ts: the relay's port for another end's. */
const { mirrorPort } = window

const LOOPBACK = '127.0.0.1'
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/

/**
 * The candidate as this end must hear it, or null for one that the path does not lead to.
 *
 * @param {string} line candidate-attribute of RFC 8839, section 5.1
 */
async function through(line) {
  const words = line.split(' ')
  const [transport, , host, port, , type] = words.slice(2)
  if (transport.toLowerCase() !== 'udp' || type !== 'host' || !IPV4.test(host)) return null
  words[4] = LOOPBACK
  words[5] = String(await mirrorPort(Number(port)))
  return words.join(' ')
}

async function throughAll(sdp) {
  const lines = await Promise.all(
    sdp.split('\r\n').map(async (line) => {
      if (!line.startsWith('a=candidate:')) return line
      const rewritten = await through(line.slice(2))
      return rewritten === null ? null : `a=${rewritten}`
    }),
  )
  return lines.filter((line) => line !== null).join('\r\n')
}

if (mirrorPort !== undefined) {
  const { prototype } = window.RTCPeerConnection
  const { addIceCandidate, setRemoteDescription } = prototype
  prototype.addIceCandidate = async function (candidate) {
    const line = candidate?.candidate
    if (!line) return addIceCandidate.call(this, candidate)
    const rewritten = await through(line)
    if (rewritten === null) return undefined
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate
    return addIceCandidate.call(this, { candidate: rewritten, sdpMid, sdpMLineIndex, usernameFragment })
  }
  prototype.setRemoteDescription = async function (description) {
    const sdp = await throughAll(description.sdp)
    return setRemoteDescription.call(this, { type: description.type, sdp })
  }
}
