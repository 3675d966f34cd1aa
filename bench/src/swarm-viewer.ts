import type { Browser, Page } from 'playwright-core'

/** What a player counted since its start, in bytes of media. */
export interface Counters {
  readonly http: number
  readonly peers: number
  readonly seeders: number
  readonly uploaded: number
  /** Received twice or thrown away. */
  readonly wasted: number
  /** Open connections. */
  readonly links: number
}

interface Sample extends Counters {
  readonly at: number
  /** Seconds behind the stream's clock; null before the first frame and where the stream has no dates. */
  readonly latency: number | null
  readonly ahead: number
}

/** One segment that the player asked for. */
export interface FragmentLoad {
  readonly sequence: number
  readonly askedAt: number
  /** Seconds of media in the buffer then. */
  readonly ahead: number
  /** Milliseconds until the playhead would be there. */
  readonly untilMs: number
  /** Open connections then. */
  readonly links: number
  readonly loadedAt: number | null
}

/** What a page observed; bench/page/swarm.js. `at` are Unix times in ms. */
export interface ViewerRecord {
  readonly startedAt: number | null
  readonly firstFrameMs: number | null
  readonly firstPeerByteMs: number | null
  readonly stalls: readonly { readonly at: number; readonly ms: number }[]
  /** hls.js's fatal errors. */
  readonly fatal: readonly string[]
  readonly fragments: readonly FragmentLoad[]
  readonly samples: readonly Sample[]
  readonly lateMs: {
    readonly count: number
    readonly sum: number
    readonly max: number
    readonly over100: number
  }
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
  /** One of `swarmPlayers` in bench/page/swarm-players.js. */
  readonly player: string
  readonly tracker: string | null
}

declare global {
  interface Window {
    viewer: { start(options: ViewerStart): void; read(): ViewerRecord }
  }
}

const AGENT_MARK = 'swarm-viewer/'

/** The viewer whose browser sent a request, or null for a seeder and anybody else. */
export function viewerOfAgent(agent: string): number | null {
  const at = agent.lastIndexOf(AGENT_MARK)
  return at < 0 ? null : Number(agent.slice(at + AGENT_MARK.length))
}

/** Opens a page in a context of its own, whose requests name the viewer. Nothing plays yet. */
export async function openViewer(browser: Browser, pageUrl: string, viewer: number): Promise<Page> {
  const userAgent = `Mozilla/5.0 Chrome/${browser.version()} ${AGENT_MARK}${viewer}`
  const context = await browser.newContext({ userAgent, viewport: { width: 480, height: 280 } })
  const page = await context.newPage()
  await page.goto(pageUrl)
  return page
}
