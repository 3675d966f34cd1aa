import type { Browser, Page } from 'playwright-core'
import type { PlayerName } from './swarm-rows.js'

/** What a player counted since its start, in bytes of media. */
export interface Counters {
  readonly http: number
  readonly peers: number
  readonly seeders: number
  readonly uploaded: number
  /** Received twice or thrown away; null where the program does not tell. */
  readonly wasted: number | null
  /** Open connections. */
  readonly links: number
}

interface Sample extends Omit<Counters, 'wasted'> {
  readonly at: number
  /** Seconds behind the stream's clock; null before the first frame and where the stream has no dates. */
  readonly latency: number | null
  readonly ahead: number
  /** Of JavaScript, live and dead; null where the browser does not tell. */
  readonly heapBytes: number | null
}

/** One segment that the player asked for. */
export interface FragmentLoad {
  readonly sequence: number
  readonly track: string
  readonly askedAt: number
  /** Seconds of media in the buffer then. */
  readonly ahead: number
  /** Milliseconds until the playhead would be there. */
  readonly untilMs: number
  /** Open connections then. */
  readonly links: number
  readonly loadedAt: number | null
  /** SHA-256 of what hls.js was handed; null where nobody asked for it. */
  readonly digest: string | null
}

/** What a page observed; bench/page/swarm.js. `at` are Unix times in ms. */
export interface ViewerRecord {
  readonly startedAt: number | null
  /** When this was read. */
  readonly readAt: number
  readonly firstFrameMs: number | null
  /** First message of media size on a data channel, whatever the program. */
  readonly firstPeerByteMs: number | null
  readonly stalls: readonly { readonly since: number; readonly ms: number }[]
  /** hls.js's fatal errors. */
  readonly fatal: readonly string[]
  /** Those that nobody caught. */
  readonly errors: readonly string[]
  /** hls.js's other errors: how often, by name. */
  readonly warnings: Readonly<Record<string, number>>
  readonly fragments: readonly FragmentLoad[]
  readonly samples: readonly Sample[]
  readonly lateMs: {
    readonly count: number
    readonly sum: number
    readonly max: number
    readonly over100: number
  }
  /** Bytes of messages on data channels, whatever the program: control, what came twice and all. */
  readonly wire: {
    readonly received: number
    readonly sent: number
    readonly open: number
    readonly made: number
    readonly spoiled: number
  }
  readonly levels: { readonly switches: number; readonly seconds: number; readonly bits: number }
  readonly counters:
    | (Counters & {
        readonly degraded: string | null
        readonly segments: readonly {
          readonly sequence: number
          readonly http: number
          readonly peers: number
          readonly seeders: number
        }[]
      })
    | null
  /** Seconds in which the clock of the video ran. */
  readonly playedSeconds: number
  readonly frames: number
  readonly droppedFrames: number
}

export interface ViewerStart {
  /** Unix time in ms. */
  readonly at: number
  readonly src: string
  readonly settings: {
    readonly hls: Readonly<Record<string, unknown>>
    readonly p2p: Readonly<Record<string, unknown>>
    readonly tracker: string | null
  }
  /** Whether to compute what segments are like. */
  readonly digests: boolean
}

declare global {
  interface Window {
    viewer: {
      prepare(player: PlayerName): Promise<void>
      start(options: ViewerStart): void
      read(): ViewerRecord
    }
  }
}

const AGENT_MARK = 'swarm-viewer/'

/** The viewer whose browser sent a request, or null for a seeder and anybody else. */
export function viewerOfAgent(agent: string): number | null {
  const at = agent.lastIndexOf(AGENT_MARK)
  return at < 0 ? null : Number(agent.slice(at + AGENT_MARK.length))
}

/** Opens a page in a context of its own, whose requests name the viewer. Nothing plays yet. */
export async function openViewer(
  browser: Browser,
  pageUrl: string,
  viewer: number,
  player: PlayerName,
  beforeLoad: (page: Page) => Promise<void> | undefined,
): Promise<Page> {
  const userAgent = `Mozilla/5.0 Chrome/${browser.version()} ${AGENT_MARK}${viewer}`
  const context = await browser.newContext({ userAgent, viewport: { width: 480, height: 280 } })
  const page = await context.newPage()
  await beforeLoad(page)
  await page.goto(pageUrl)
  await page.evaluate((name) => window.viewer.prepare(name), player)
  return page
}

/** Lets a page load no faster than this by HTTP. Data channels are not concerned. */
export async function throttle(page: Page, bitsPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', {
    ...{ offline: false, latency: 0, downloadThroughput: bitsPerSecond / 8, uploadThroughput: -1 },
  })
}
