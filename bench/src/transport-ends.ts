import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Signal } from '@shoal/protocol'
import { type BrowserServer, chromium, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, chromiumPath } from '../../e2e/dist/browser/index.js'
import type { Counts, EndOptions } from './transport-end.js'
import type {} from './transport-page.js'
import { processTreeCpuMs } from './transport-process-tree.js'

/** What the bench tells an end in another process. */
export type EndCommand =
  | { readonly type: 'open'; readonly options: EndOptions }
  | { readonly type: 'signal'; readonly signal: Signal }
  | { readonly type: 'send' | 'read' | 'close' }

export type EndReply =
  | { readonly type: 'signal'; readonly signal: Signal }
  | { readonly type: 'opened' }
  | ({ readonly type: 'reading' } & Reading)

/** Bytes since `open`, and CPU time of the end's processes since their start. */
export interface Reading extends Counts {
  readonly cpuMs: number
}

/** One end, in processes of its own: their CPU time is nobody else's. */
export interface RemoteEnd {
  open(options: EndOptions, onSignal: (signal: Signal) => void, onOpen: () => void): Promise<void>
  signal(signal: Signal): Promise<void>
  startSending(): Promise<void>
  read(): Promise<Reading>
  close(): Promise<void>
  /** Ends the processes. */
  dispose(): Promise<void>
}

/** An end in a Node process. */
export class NodeEnd implements RemoteEnd {
  readonly #child: ChildProcess
  #onReply: (reply: EndReply) => void = () => undefined
  #onReading: (reading: Reading) => void = () => undefined
  /** Rejects when the process ends before its time. */
  readonly #ended: Promise<never>

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./transport-node.js', import.meta.url)))
    this.#ended = new Promise((_, reject) => {
      this.#child.once('error', reject)
      this.#child.once('exit', (code, signal) => reject(new Error(`Node's end has ended: ${code ?? signal}`)))
    })
    // Whoever waits for a reply is told; `dispose` waits for none.
    this.#ended.catch(() => undefined)
    this.#child.on('message', (reply: EndReply) => {
      if (reply.type === 'reading') this.#onReading(reply)
      else this.#onReply(reply)
    })
  }

  async open(options: EndOptions, onSignal: (signal: Signal) => void, onOpen: () => void): Promise<void> {
    this.#onReply = (reply) => {
      if (reply.type === 'signal') onSignal(reply.signal)
      else if (reply.type === 'opened') onOpen()
    }
    this.#tell({ type: 'open', options })
  }

  async signal(signal: Signal): Promise<void> {
    this.#tell({ type: 'signal', signal })
  }

  async startSending(): Promise<void> {
    this.#tell({ type: 'send' })
  }

  read(): Promise<Reading> {
    const reading = new Promise<Reading>((resolve) => {
      this.#onReading = resolve
    })
    this.#tell({ type: 'read' })
    return Promise.race([reading, this.#ended])
  }

  async close(): Promise<void> {
    this.#tell({ type: 'close' })
  }

  async dispose(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
  }

  #tell(command: EndCommand): void {
    // Where the process has ended, `read` tells.
    if (this.#child.connected) this.#child.send(command)
  }
}

/** An end in a page of a browser of its own. */
export class ChromiumEnd implements RemoteEnd {
  readonly #server: BrowserServer
  readonly #page: Page
  #onSignal: (signal: Signal) => void = () => undefined
  #onOpen: () => void = () => undefined

  private constructor(server: BrowserServer, page: Page) {
    this.#server = server
    this.#page = page
  }

  /** @param script the bundle of `transport-page.ts` */
  static async launch(script: string): Promise<ChromiumEnd> {
    const server = await chromium.launchServer({ executablePath: chromiumPath(), args: [...CHROMIUM_ARGS] })
    const browser = await chromium.connect(server.wsEndpoint())
    const page = await browser.newPage()
    const end = new ChromiumEnd(server, page)
    await page.exposeFunction('tellSignal', (signal: Signal) => end.#onSignal(signal))
    await page.exposeFunction('tellOpen', () => end.#onOpen())
    await page.addScriptTag({ content: script })
    return end
  }

  async open(options: EndOptions, onSignal: (signal: Signal) => void, onOpen: () => void): Promise<void> {
    this.#onSignal = onSignal
    this.#onOpen = onOpen
    await this.#page.evaluate((options) => window.transport.open(options), options)
  }

  signal(signal: Signal): Promise<void> {
    return this.#page.evaluate((signal) => window.transport.signal(signal), signal)
  }

  startSending(): Promise<void> {
    return this.#page.evaluate(() => window.transport.startSending())
  }

  async read(): Promise<Reading> {
    const counts = await this.#page.evaluate(() => window.transport.counts())
    return { ...counts, cpuMs: processTreeCpuMs(this.#server.process().pid ?? 0) }
  }

  close(): Promise<void> {
    return this.#page.evaluate(() => window.transport.close())
  }

  dispose(): Promise<void> {
    return this.#server.close()
  }
}
