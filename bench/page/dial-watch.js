// Before any other script: when the first connection opened and the first piece of media came over one.

/** Type byte of Data; docs/protocol.md. */
const DATA = 0x13

window.seen = { openMs: null, firstPeerByteMs: null, firstFrameMs: null }

const create = RTCPeerConnection.prototype.createDataChannel
RTCPeerConnection.prototype.createDataChannel = function (...options) {
  const channel = create.apply(this, options)
  channel.addEventListener('open', () => {
    window.seen.openMs ??= performance.now()
  })
  channel.addEventListener('message', ({ data }) => {
    if (new Uint8Array(data, 0, 1)[0] === DATA) window.seen.firstPeerByteMs ??= performance.now()
  })
  return channel
}
