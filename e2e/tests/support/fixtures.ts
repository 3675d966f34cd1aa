import { type Browser, test as base, chromium } from '@playwright/test'
import { CHROMIUM_ARGS, chromiumPath } from '../../dist/browser/index.js'
import { DEFAULT_SAMPLE_ROOT, makeVod, type Origin, startOrigin } from '../../dist/sample/index.js'
import { startPlayerPage } from './player-page.js'
import { type Service, startSeeder, startTracker } from './services.js'
import { Viewer, type ViewerOptions } from './viewer.js'

type Tracker = Awaited<ReturnType<typeof startTracker>>

/** Everything that a test needs around its viewers; all of it ends with the test. */
export interface Stack {
  readonly origin: Origin
  readonly tracker: Tracker
  readonly vod: string
  readonly live: string
  startSeeder(source: string, args?: readonly string[]): Promise<Service>
  /** A viewer in a page of its own. Its plugin uses this stack's tracker unless told otherwise. */
  open(options: Partial<ViewerOptions> & { readonly src: string }): Promise<Viewer>
  /** A viewer in a browser process of its own, which can be killed. */
  openKillable(
    options: Partial<ViewerOptions> & { readonly src: string },
  ): Promise<{ viewer: Viewer; kill(): void }>
}

export const test = base.extend<{ stack: Stack }, { chrome: Browser }>({
  chrome: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from the pattern
    async ({}, use) => {
      const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS })
      await use(browser)
      await browser.close()
    },
    { scope: 'worker' },
  ],

  stack: async ({ chrome }, use) => {
    await makeVod()
    const ends: (() => unknown)[] = []
    const origin = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, port: 0 })
    const tracker = await startTracker()
    const page = await startPlayerPage()
    const viewers: Viewer[] = []
    const open = async (browser: Browser, options: Partial<ViewerOptions> & { readonly src: string }) => {
      const viewer = await Viewer.open(browser, page.url, {
        shoal: { tracker: tracker.announce },
        ...options,
      })
      viewers.push(viewer)
      return viewer
    }
    await use({
      origin,
      tracker,
      vod: `${origin.url}/vod/master.m3u8`,
      live: `${origin.url}/live/master.m3u8`,
      startSeeder: async (source, args) => {
        const seeder = await startSeeder(source, tracker.announce, args)
        ends.push(() => seeder.kill())
        return seeder
      },
      open: (options) => open(chrome, options),
      openKillable: async (options) => {
        const server = await chromium.launchServer({ executablePath: chromiumPath(), args: CHROMIUM_ARGS })
        const browser = await chromium.connect(server.wsEndpoint())
        const viewer = await open(browser, options)
        const kill = () => server.process().kill('SIGKILL')
        ends.push(kill)
        return { viewer, kill }
      },
    })
    await Promise.all(viewers.map((viewer) => viewer.close().catch(() => undefined)))
    for (const end of ends) end()
    tracker.kill()
    await page.close()
    await origin.close()
  },
})

export { expect } from '@playwright/test'
