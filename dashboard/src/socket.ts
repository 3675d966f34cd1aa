import type { FeedSocket, SocketListener } from './feed.js'

/** Address of the feed beside the page: behind a proxy's prefix both move together. */
export function feedUrl(page: string): string {
  const url = new URL('feed', page)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.search = ''
  url.hash = ''
  return url.href
}

/** Address that peers and seeders announce to: the tracker's root, one level above the page. */
export function trackerUrl(page: string): string {
  return new URL('.', new URL('..', feedUrl(page))).href
}

/** The browser's WebSocket as the feed wants it. */
export function openSocket(url: string, listener: SocketListener): FeedSocket {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const stop = new AbortController()
  const { signal } = stop
  socket.addEventListener(
    'message',
    (event: MessageEvent<unknown>) =>
      listener.message(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : null),
    { signal },
  )
  // A failed connection closes too; `error` says nothing more.
  socket.addEventListener('close', () => listener.closed(), { signal })
  return {
    close: () => {
      stop.abort()
      socket.close()
    },
  }
}
