import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listen, stopListening } from '../sample/origin/listening.js'

export interface PageServer {
  /** Without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/** hls.js's UMD build, with its worker. */
export const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.js')

/** The plugin's build for a script tag. This file is `e2e/dist/browser/page-server.js` when it runs. */
export const PLUGIN = fileURLToPath(new URL('../../../player-plugin/dist/shoal.global.js', import.meta.url))

/** What counts stalls in a page, for tests and benchmarks alike: see the file. */
export const WATCH_JS = fileURLToPath(new URL('../../tests/page/watch.js', import.meta.url))

const MEDIA_TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

/**
 * Serves these files, and nothing else, on a free port of 127.0.0.1.
 *
 * @param files on disk, by the path that serves them, with a slash first
 */
export async function startPageServer(files: Readonly<Record<string, string>>): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page')
    const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined
    if (file === undefined) {
      response.writeHead(404).end()
      return
    }
    const type = MEDIA_TYPES[extname(pathname)] ?? 'application/octet-stream'
    readFile(file).then(
      (content) => response.writeHead(200, { 'Content-Type': type }).end(content),
      () => response.writeHead(500).end(),
    )
  })
  const port = await listen(server, 0, HOST)
  return { url: `http://${HOST}:${port}`, close: () => stopListening(server) }
}
