import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listen, stopListening } from '../sample/origin/listening.js'

/** What the page is told in `/config.json`. */
export interface DemoConfig {
  /** `ws://` URL. */
  readonly tracker: string
  /** Multivariant playlists. */
  readonly vod: string
  readonly live: string
  readonly dashboard: string
}

export interface DemoServer {
  /** With a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** This file is `e2e/dist/demo/server.js` when it runs. */
const PAGE = new URL('../../demo/page/', import.meta.url)
const PLUGIN = new URL('../../../player-plugin/dist/', import.meta.url)
const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js')

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
}

/**
 * Serves the demo player: its page, hls.js and the built plugin.
 *
 * @param options `port` 0 (the default) takes a free one
 * @throws {ListenError} when the port cannot be had
 */
export async function startDemo(options: {
  readonly config: DemoConfig
  readonly host?: string
  readonly port?: number
}): Promise<DemoServer> {
  const { config, host = '127.0.0.1' } = options
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [pathname = '/'] = (request.url ?? '/').split('?')
    const file = fileFor(pathname)
    const body =
      pathname === '/config.json' ? JSON.stringify(config) : file && (await readFile(file).catch(() => null))
    const headers = {
      'Content-Type':
        MEDIA_TYPES[pathname === '/' ? '.html' : extname(pathname)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
    }
    if (body === null) response.writeHead(404).end()
    else response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body)
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error))
  })
  const port = await listen(server, options.port ?? 0, host)
  return { url: `http://${host}:${port}/`, close: () => stopListening(server) }
}

/** Plain names only: no path leads out of the folders. The file need not exist. */
function fileFor(pathname: string): string | null {
  const match = /^\/(vendor\/(?=.))?([\w-]+(?:\.[\w-]+)*)?$/.exec(pathname)
  if (match === null) return null
  const [, vendor, name = 'index.html'] = match
  if (vendor === undefined) return fileURLToPath(new URL(name, PAGE))
  return name === 'hls.min.js' ? HLS_JS : fileURLToPath(new URL(name, PLUGIN))
}
