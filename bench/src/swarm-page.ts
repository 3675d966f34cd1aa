import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { HLS_JS, type PageServer, PLUGIN, startPageServer, WATCH_JS } from '../../e2e/dist/browser/index.js'
import type { PlayerName } from './swarm-rows.js'
import { sum } from './swarm-statistics.js'

const own = (name: string) => fileURLToPath(new URL(`../page/${name}`, import.meta.url))

const installed = (path: string) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))

/** The builds that their documentation has pages load, without hls.js. */
const P2PML_CORE = installed('p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js')
const P2PML_HLSJS = installed('p2p-media-loader-hlsjs/dist/p2p-media-loader-hlsjs.es.min.js')
const SWARMCLOUD = installed('swarmcloud-hls/dist/p2p-engine.min.js')
/** With hls.js in it. */
const SWARMCLOUD_PLAYER = installed('swarmcloud-hls/dist/hls.min.js')

const FILES: Readonly<Record<string, string>> = {
  '/swarm.html': own('swarm.html'),
  '/swarm.js': own('swarm.js'),
  '/swarm-players.js': own('swarm-players.js'),
  '/channels.js': own('channels.js'),
  '/path.js': own('path.js'),
  '/watch.js': WATCH_JS,
  '/hls.js': HLS_JS,
  '/shoal.js': PLUGIN,
  '/p2p-media-loader-core.js': P2PML_CORE,
  '/p2p-media-loader-hlsjs.js': P2PML_HLSJS,
  '/swarmcloud.js': SWARMCLOUD_PLAYER,
}

/** Serves the viewers' pages on a free port; `url` is a viewer's. */
export async function startSwarmPage(): Promise<PageServer> {
  const server = await startPageServer(FILES)
  return { ...server, url: `${server.url}/swarm.html` }
}

/** What a site adds to hls.js, compressed, in bytes. */
export async function pluginGzipBytes(player: PlayerName): Promise<number> {
  const files: Readonly<Record<PlayerName, readonly string[]>> = {
    'hls.js': [],
    shoal: [PLUGIN],
    'p2p-media-loader': [P2PML_CORE, P2PML_HLSJS],
    swarmcloud: [SWARMCLOUD],
  }
  const scripts = await Promise.all(files[player].map((file) => readFile(file)))
  return sum(scripts.map((script) => gzipSync(script, { level: 9 }).length))
}
