import { fileURLToPath } from 'node:url'
import { HLS_JS, type PageServer, PLUGIN, startPageServer, WATCH_JS } from '../../dist/browser/index.js'

const own = (name: string) => fileURLToPath(new URL(`../page/${name}`, import.meta.url))

/** Serves the test page, hls.js and the plugin's script-tag build; `url` is the page's. */
export async function startPlayerPage(): Promise<PageServer> {
  const server = await startPageServer({
    '/player.html': own('player.html'),
    '/player.js': own('player.js'),
    '/watch.js': WATCH_JS,
    '/hls.js': HLS_JS,
    '/shoal.js': PLUGIN,
  })
  return { ...server, url: `${server.url}/player.html` }
}
