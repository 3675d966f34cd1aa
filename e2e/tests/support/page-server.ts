import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.js')

/** What the page loads: hls.js's UMD build (with its worker) and the plugin's script-tag build. */
const FILES: Readonly<Record<string, { readonly file: string | URL; readonly type: string }>> = {
  '/player.html': { file: new URL('../page/player.html', import.meta.url), type: 'text/html' },
  '/player.js': { file: new URL('../page/player.js', import.meta.url), type: 'text/javascript' },
  '/hls.js': { file: HLS_JS, type: 'text/javascript' },
  '/shoal.js': {
    file: new URL('../../../player-plugin/dist/shoal.global.js', import.meta.url),
    type: 'text/javascript',
  },
}

/** Serves the test page on a free port. */
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
    url: `http://127.0.0.1:${port}/player.html`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
