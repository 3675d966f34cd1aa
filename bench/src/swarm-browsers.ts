import { type Browser, type BrowserServer, chromium, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, chromiumPath } from '../../e2e/dist/browser/index.js'
import { PATH_ARGS, type ViewersPath } from './swarm-path.js'
import type { Row } from './swarm-rows.js'
import { openViewer } from './swarm-viewer.js'

/** Every name but this machine's and those of mDNS candidates is not found. */
const OFFLINE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.local'

export interface OpenViewer {
  readonly page: Page
  /** Of the browser that has the page. */
  readonly browserPid: number
  /** Ends its browser as a crash would: nobody says goodbye. Where others share it, they go as well. */
  kill(): void
}

export interface BrowserOptions {
  readonly row: Row
  readonly pageUrl: string
  /** A browser for each viewer, so that one can be killed. */
  readonly apart: boolean
  /** Null: viewers reach each other as this machine has it. */
  readonly path: ViewersPath | null
}

// Playwright closes its browsers for this signal, and lets the program go on without them.
const onTerminate = () => process.exit(143)

/** The browsers of a row. Once there are some, SIGTERM ends the program. */
export class Browsers {
  readonly #options: BrowserOptions
  readonly #servers: BrowserServer[] = []
  #shared: { readonly server: BrowserServer; readonly browser: Browser } | null = null

  constructor(options: BrowserOptions) {
    this.#options = options
  }

  /** Of the browsers that are alive. */
  pids(): readonly number[] {
    return this.#servers.flatMap((server) => {
      const { pid, exitCode, signalCode } = server.process()
      return pid !== undefined && exitCode === null && signalCode === null ? [pid] : []
    })
  }

  /** @param query of the page's address */
  async open(viewer: number, query = ''): Promise<OpenViewer> {
    const { pageUrl, row, apart, path } = this.#options
    if (!apart) this.#shared ??= await this.#launch()
    const { server, browser } = this.#shared ?? (await this.#launch())
    const page = await openViewer(browser, `${pageUrl}${query}`, viewer, row.player, (page) =>
      path?.lead(page),
    )
    return {
      page,
      browserPid: server.process().pid ?? 0,
      kill: () => void server.process().kill('SIGKILL'),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  async #launch() {
    const { path, row } = this.#options
    const args = [...CHROMIUM_ARGS, ...(row.offline ? [OFFLINE] : []), ...(path === null ? [] : PATH_ARGS)]
    const server = await chromium.launchServer({ executablePath: chromiumPath(), args })
    this.#servers.push(server)
    if (!process.listeners('SIGTERM').includes(onTerminate)) process.on('SIGTERM', onTerminate)
    return { server, browser: await chromium.connect(server.wsEndpoint()) }
  }
}
