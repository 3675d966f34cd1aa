import type { OpenTrackerSocket } from '@shoal/core'
import WebSocket from 'ws'

/** Largest message of a tracker, in bytes: an offer is 16 KiB of SDP at most. */
const MAX_MESSAGE_BYTES = 64 * 1024
/** Bytes waiting to be sent at most: a tracker that does not read is as good as gone. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** Time for the TCP, TLS and WebSocket handshakes together, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Time for the other side to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000

/** Sockets to trackers over `ws`. */
export const openWsSocket: OpenTrackerSocket = (url, events) => {
  let reason = 'the connection was closed'
  let closing = false
  let closed = false
  const finish = (text: string) => {
    if (closed) return
    closed = true
    events.onClose(text)
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    })
  } catch {
    queueMicrotask(() => finish(`${url} is not a ws:// or wss:// URL`))
    return { send: () => false, close: () => undefined }
  }
  socket.on('open', () => {
    if (!closed) events.onOpen()
  })
  socket.on('message', (data, binary) => {
    if (!closed && !binary) events.onMessage(data.toString())
  })
  socket.on('error', (error) => {
    if (!closing) reason = reasonOf(error)
  })
  socket.on('close', (code) => {
    finish(code === 1006 || code === 1000 ? reason : `${reason} (code ${code})`)
  })
  return {
    send: (text) => {
      if (closed || socket.readyState !== WebSocket.OPEN) return false
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return false
      // An error of the write ends in 'error' and 'close'.
      socket.send(text, () => undefined)
      return true
    },
    close: () => {
      if (closed || closing) return
      closing = true
      reason = 'closed on this side'
      socket.close()
      // A tracker that is gone never answers the close frame.
      setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref()
    },
  }
}

function reasonOf(error: Error & { readonly code?: string }): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'the connection was refused'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known'
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
      return 'the tracker sent a message that is too large'
    default:
      return error.message === '' ? 'the connection failed' : error.message
  }
}
