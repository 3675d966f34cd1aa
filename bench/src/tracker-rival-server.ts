/**
 * A server that is no program of ours, in a process of its own: `bittorrent-tracker` or an echo on
 * bare uWebSockets.js. Sends its port to the bench when it listens.
 */

/** What the two libraries, which are those of the tracker's tests, are used for here. */
interface BittorrentTracker {
  readonly Server: new (
    options: object,
  ) => {
    readonly http: { address(): { readonly port: number } }
    on(event: 'error' | 'warning', listener: (error: Error) => void): void
    listen(port: number, host: string, listening: () => void): void
  }
}

interface UwsApp {
  ws(path: string, behaviour: object): UwsApp
  listen(host: string, port: number, listening: (token: object | false) => void): void
}

interface Uws {
  App(): UwsApp
  us_socket_local_port(token: object): number
}

interface UwsSocket {
  send(message: ArrayBuffer, binary: boolean): void
}

const HOST = '127.0.0.1'

async function startBittorrentTracker(): Promise<number> {
  const { Server }: BittorrentTracker = await load('bittorrent-tracker')
  const server = new Server({ udp: false, http: false, ws: true, stats: false })
  server.on('error', (error) => {
    throw error
  })
  server.on('warning', () => {})
  return new Promise((resolve) => {
    server.listen(0, HOST, () => resolve(server.http.address().port))
  })
}

async function startEcho(): Promise<number> {
  const { default: uws }: { default: Uws } = await load('uWebSockets.js')
  const app = uws.App().ws('/*', {
    maxPayloadLength: 64 * 1024,
    message(socket: UwsSocket, message: ArrayBuffer) {
      socket.send(message, false)
    },
  })
  return new Promise((resolve, reject) => {
    app.listen(HOST, 0, (token) => {
      if (token === false) reject(new Error('the echo cannot listen'))
      else resolve(uws.us_socket_local_port(token))
    })
  })
}

/** Loaded by name: types of theirs would be wanted otherwise. */
async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T
}

const port = await (process.argv[2] === 'uws-echo' ? startEcho() : startBittorrentTracker())
process.send?.({ port })
process.once('disconnect', () => process.exit(0))
