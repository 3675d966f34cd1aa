import { fileURLToPath } from 'node:url'
import { HLS_JS, startPageServer } from '../dist/browser/index.js'
import { expect, test } from './support/fixtures.js'

/** Longest wait for bytes from a peer, in ms; some 3 s on a machine with nothing else to do. */
const PATIENCE_MS = 40_000

interface Counted {
  readonly http: number
  readonly peers: number
  readonly uploaded: number
  readonly warnings: readonly string[]
}

/** Its builds for pages, which its list of exports leaves out. */
const installed = (path: string) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
const own = (name: string) => fileURLToPath(new URL(`page/${name}`, import.meta.url))

const FILES = {
  '/p2p-media-loader.html': own('p2p-media-loader.html'),
  '/p2p-media-loader-page.js': own('p2p-media-loader-page.js'),
  '/p2p-media-loader-core.js': installed('p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js'),
  '/p2p-media-loader-hlsjs.js': installed('p2p-media-loader-hlsjs/dist/p2p-media-loader-hlsjs.es.min.js'),
  '/hls.js': HLS_JS,
}

test("p2p-media-loader's peers find each other through our tracker", async ({ stack, chrome }) => {
  const server = await startPageServer(FILES)
  const contexts = await Promise.all([chrome.newContext(), chrome.newContext()])
  const errors: string[] = []
  const open = async (index: 0 | 1) => {
    const page = await contexts[index].newPage()
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(`${server.url}/p2p-media-loader.html`)
    await page.evaluate((options) => window.p2pMediaLoader.start(options), {
      src: stack.vod,
      tracker: stack.tracker.announce,
    })
    const counted = () => page.evaluate(() => window.p2pMediaLoader.counted())
    return { counted }
  }
  try {
    const first = await open(0)
    await expect.poll(async () => (await first.counted()).http, { timeout: PATIENCE_MS }).toBeGreaterThan(0)
    const second = await open(1)
    const exchanged = async () => {
      const [a, b] = [await first.counted(), await second.counted()]
      return Math.min(a.peers + b.peers, a.uploaded + b.uploaded)
    }
    await expect.poll(exchanged, { timeout: PATIENCE_MS }).toBeGreaterThan(0)
    const stats = await (await fetch(`${stack.tracker.url}/stats.json`)).json()
    // It has a swarm for each rendition, and one socket for all of them.
    expect(stats).toMatchObject({ sockets: 2, viewers: 0 })
    expect(stats.others).toBeGreaterThanOrEqual(2)
    expect([...(await first.counted()).warnings, ...(await second.counted()).warnings]).toEqual([])
    expect(errors).toEqual([])
  } finally {
    await Promise.all(contexts.map((context) => context.close()))
    await server.close()
  }
})

declare global {
  interface Window {
    p2pMediaLoader: {
      start(options: { readonly src: string; readonly tracker: string }): void
      counted(): Counted
    }
  }
}
