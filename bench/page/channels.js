// What passes through this page's data channels, counted alike for every program that is compared.
// Comes before all other scripts.

/** A polluter spoils messages of this many bytes or more: media, whatever the program's protocol. */
const SPOILED_FROM_BYTES = 600

/** A message of this many bytes or more is media: what announces or describes it is shorter, in every program. */
const MEDIA_FROM_BYTES = 1000

/** Bytes of messages, RTCPeerConnections made, and when the first of MEDIA_FROM_BYTES or more came (Unix time in ms). */
const channels = { received: 0, sent: 0, open: 0, made: 0, firstMediaAt: null, spoiled: 0 }
const pollutes = new URLSearchParams(location.search).has('polluter')

function sizeOf(data) {
  return typeof data === 'string' ? data.length : (data.byteLength ?? data.size)
}

function watchChannel(channel) {
  channel.addEventListener('open', () => {
    channels.open += 1
    channel.addEventListener('close', () => {
      channels.open -= 1
    })
  })
  channel.addEventListener('message', ({ data }) => {
    const size = sizeOf(data)
    channels.received += size
    if (size >= MEDIA_FROM_BYTES) channels.firstMediaAt ??= performance.timeOrigin + performance.now()
  })
}

/** A copy with its last byte changed. */
function spoil(data) {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data.slice(0))
  bytes[bytes.length - 1] ^= 0xff
  channels.spoiled += 1
  return bytes
}

if (window.RTCPeerConnection !== undefined) {
  const Native = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options)
      channels.made += 1
      this.addEventListener('datachannel', ({ channel }) => watchChannel(channel))
    }
    createDataChannel(...options) {
      const channel = super.createDataChannel(...options)
      watchChannel(channel)
      return channel
    }
  }
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (data) {
    const size = sizeOf(data)
    channels.sent += size
    const bad = pollutes && size >= SPOILED_FROM_BYTES && typeof data !== 'string' && !(data instanceof Blob)
    return send.call(this, bad ? spoil(data) : data)
  }
}

window.channels = channels
