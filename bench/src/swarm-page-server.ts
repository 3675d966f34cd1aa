import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

/** hls.js is a dependency of the browser tests, which play the same build. */
const HLS_JS = createRequire(new URL('../../e2e/package.json', import.meta.url)).resolve('hls.js/dist/hls.js')

const PAGE = new URL('../page/', import.meta.url)
const SCRIPT = 'text/javascript'

const FILES: Readonly<Record<string, { readonly file: string | URL; readonly type: string }>> = {
  '/swarm.html': { file: new URL('swarm.html', PAGE), type: 'text/html' },
  '/swarm.js': { file: new URL('swarm.js', PAGE), type: SCRIPT },
  '/swarm-players.js': { file: new URL('swarm-players.js', PAGE), type: SCRIPT },
  '/hls.js': { file: HLS_JS, type: SCRIPT },
  '/shoal.js': { file: new URL('../../player-plugin/dist/shoal.global.js', import.meta.url), type: SCRIPT },
}

/** Serves the viewers' page, hls.js and the built plugin on a free port. */
export async function startPageServer(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const entry = FILES[new URL(request.url ?? '/', 'http://page').pathname]
    if (entry === undefined) {
      response.writeHead(404).end()
      return
    }
    readFile(entry.file).then(
      (body) => response.writeHead(200, { 'Content-Type': entry.type }).end(body),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/swarm.html`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
