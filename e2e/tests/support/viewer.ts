import type { Browser, Page } from '@playwright/test'

/** Segment and byte counts as the plugin tells them; see `ShoalStats` in the player package. */
export interface Stats {
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly uploadedBytes: number
  readonly wastedBytes: number
  readonly peers: number
  readonly seeders: number
  readonly tracker: string
  readonly degraded: string | null
  readonly offload: number
  readonly segments: readonly {
    track: string
    sequence: number
    part: number | null
    http: number
    peers: number
    seeders: number
  }[]
}

/** What the page observed; see tests/page/player.js. */
export interface State {
  readonly startupMs: number | null
  readonly stalls: readonly { at: number; ms: number }[]
  readonly fatal: readonly string[]
  readonly warnings: readonly { code: string; message: string }[]
  readonly digests: readonly { url: string; digest: string }[]
  readonly currentTime: number
  readonly bufferedSeconds: number
  readonly frames: number
  readonly ended: boolean
  readonly width: number
  readonly latency: number
  readonly level: number
  readonly loadLevel: number
  readonly levels: readonly number[]
  readonly stats: Stats | null
}

export interface ViewerOptions {
  readonly src: string
  /** Plugin options; null plays with plain hls.js. */
  readonly shoal: Readonly<Record<string, unknown>> | null
  readonly hls?: Readonly<Record<string, unknown>>
  /** Script that runs in the page before any other. */
  readonly init?: string
  /** Open the page and start nothing. */
  readonly idle?: boolean
  /** Collect the SHA-256 of every segment handed to hls.js. */
  readonly digests?: boolean
}

/** One person watching: a page in its own browser context. */
export class Viewer {
  readonly page: Page
  private readonly options: ViewerOptions
  /** Errors that nobody caught. */
  readonly errors: string[] = []

  private constructor(page: Page, options: ViewerOptions) {
    this.page = page
    this.options = options
    page.on('pageerror', (error) => this.errors.push(String(error)))
  }

  static async open(browser: Browser, pageUrl: string, options: ViewerOptions): Promise<Viewer> {
    const context = await browser.newContext()
    const page = await context.newPage()
    const viewer = new Viewer(page, options)
    if (options.init !== undefined) await page.addInitScript(options.init)
    await page.goto(pageUrl)
    if (options.idle !== true) await viewer.start()
    return viewer
  }

  /** Begins to play; `open` has done so unless the viewer was opened idle. */
  start(): Promise<void> {
    return this.page.evaluate((options) => window.player.start(options), this.options)
  }

  state(): Promise<State> {
    return this.page.evaluate(() => window.player.state())
  }

  /** Waits until playback has reached `seconds`. Throws with the state where it does not in time. */
  async playedTo(seconds: number, timeoutMs: number): Promise<State> {
    const until = Date.now() + timeoutMs
    for (;;) {
      const state = await this.state()
      if (state.currentTime >= seconds || state.ended) return state
      if (state.fatal.length > 0) throw new Error(`fatal: ${state.fatal.join(', ')}`)
      if (Date.now() > until)
        throw new Error(`not at ${seconds} s in time: ${JSON.stringify(state, null, 1)}`)
      await this.page.waitForTimeout(200)
    }
  }

  close(): Promise<void> {
    return this.page.context().close()
  }
}

/** Share of the media bytes that peers and seeders delivered, 0 to 1. */
export function peerShare(stats: Stats | null): number {
  if (stats === null) return 0
  const fromPeers = stats.peerBytes + stats.seederBytes
  return fromPeers / Math.max(1, fromPeers + stats.httpBytes)
}

declare global {
  interface Window {
    player: {
      start(options: ViewerOptions): void
      state(): State
      destroy(): void
      // biome-ignore lint/suspicious/noExplicitAny: hls.js's own object in the page
      readonly hls: any
      // biome-ignore lint/suspicious/noExplicitAny: the plugin's own object in the page
      readonly shoal: any
    }
  }
}
