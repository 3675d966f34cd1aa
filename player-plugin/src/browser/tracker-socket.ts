import type { OpenTrackerSocket } from '@shoal/core'

/**
 * Bytes that may wait in a tracker socket, at most. An announce with ten offers is about 30 kB; a
 * tracker that reads slower than we write is as good as gone.
 */
export const SOCKET_BUFFER_HIGH_BYTES = 256 * 1024

/** `TrackerSocket` over the browser's WebSocket. */
export const openTrackerSocket: OpenTrackerSocket = (url, events) => {
  let open = false
  let ended = false
  const end = (reason: string) => {
    if (ended) return
    ended = true
    open = false
    events.onClose(reason)
  }

  const socket = connect(url)
  if (socket === null) {
    // A URL the browser refuses, such as ws:// on an https:// page.
    queueMicrotask(() => end('the browser refused the URL'))
    return { send: () => false, close: () => {} }
  }
  socket.onopen = () => {
    if (ended) return
    open = true
    events.onOpen()
  }
  socket.onmessage = ({ data }) => {
    if (!ended && typeof data === 'string') events.onMessage(data)
  }
  socket.onclose = ({ code, reason }) => end(reason === '' ? `closed with code ${code}` : reason)

  return {
    send(text) {
      if (!open || socket.bufferedAmount + text.length > SOCKET_BUFFER_HIGH_BYTES) return false
      try {
        socket.send(text)
        return true
      } catch {
        // Closing: onclose tells the owner.
        return false
      }
    },
    close() {
      open = false
      socket.close()
      // The browser's own close event may take until a dead network times out.
      queueMicrotask(() => end('closed'))
    },
  }
}

function connect(url: string): WebSocket | null {
  try {
    return new WebSocket(url)
  } catch {
    return null
  }
}
