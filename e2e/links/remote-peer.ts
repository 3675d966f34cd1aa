import type { Page } from '@playwright/test'
import type { CreateOptions, FillResult, LinkEvent, RawPeer, Role, TestPeer } from '@shoal/core/testing'
import type { ChannelKind } from '@shoal/protocol'
import type {} from './page-links.js'

interface Watcher {
  readonly events: LinkEvent[]
  errors: readonly string[]
  faults: readonly string[]
}

interface Report {
  readonly id: number
  readonly events: readonly (LinkEvent | { readonly type: 'message'; readonly bytes: string })[]
  readonly errors: readonly string[]
  readonly faults: readonly string[]
}

/** A page with the browser's links in it. */
export class LinkPage {
  readonly page: Page
  readonly #watchers = new Map<number, Watcher>()
  #peers = 0

  private constructor(page: Page) {
    this.page = page
  }

  /** @param script the bundle of `page-links.ts` */
  static async open(page: Page, script: string): Promise<LinkPage> {
    const linkPage = new LinkPage(page)
    await page.exposeFunction('tellLinks', (reports: readonly Report[]) => linkPage.#hear(reports))
    await page.addScriptTag({ content: script })
    return linkPage
  }

  async create(options: CreateOptions): Promise<TestPeer> {
    const { id, watcher } = this.#watch()
    await this.page.evaluate(([id, options]) => window.links.create(id, options), [id, options] as const)
    return new RemotePeer(this.page, id, watcher)
  }

  async createRaw(role: Role): Promise<RawPeer> {
    const { id, watcher } = this.#watch()
    const { page } = this
    await page.evaluate(([id, role]) => window.links.createRaw(id, role), [id, role] as const)
    return {
      events: watcher.events,
      signal: (signal) =>
        page.evaluate(([id, signal]) => window.links.signalRaw(id, signal), [id, signal as never] as const),
      close: () => page.evaluate((id) => window.links.closeRaw(id), id),
      sendRaw(channel, data) {
        const portable = typeof data === 'string' ? { text: data } : { base64: base64Of(data) }
        return page.evaluate(([id, channel, data]) => window.links.sendRaw(id, channel, data), [
          id,
          channel,
          portable,
        ] as const)
      },
    }
  }

  liveConnections(): Promise<number> {
    return this.page.evaluate(() => window.links.liveConnections())
  }

  #watch(): { id: number; watcher: Watcher } {
    const id = ++this.#peers
    const watcher: Watcher = { events: [], errors: [], faults: [] }
    this.#watchers.set(id, watcher)
    return { id, watcher }
  }

  #hear(reports: readonly Report[]): void {
    for (const { id, events, errors, faults } of reports) {
      const watcher = this.#watchers.get(id)
      if (watcher === undefined) continue
      watcher.errors = errors
      watcher.faults = faults
      for (const event of events) watcher.events.push(revived(event))
    }
  }
}

class RemotePeer implements TestPeer {
  readonly #page: Page
  readonly #id: number
  readonly #watcher: Watcher

  constructor(page: Page, id: number, watcher: Watcher) {
    this.#page = page
    this.#id = id
    this.#watcher = watcher
  }

  get events(): readonly LinkEvent[] {
    return this.#watcher.events
  }

  get errors(): readonly string[] {
    return this.#watcher.errors
  }

  get faults(): readonly string[] {
    return this.#watcher.faults
  }

  signal(signal: unknown): Promise<void> {
    return this.#page.evaluate(([id, signal]) => window.links.signal(id, signal), [this.#id, signal] as const)
  }

  send(channel: ChannelKind, bytes: Uint8Array): ReturnType<TestPeer['send']> {
    return this.#page.evaluate(([id, channel, text]) => window.links.send(id, channel, text), [
      this.#id,
      channel,
      base64Of(bytes),
    ] as const)
  }

  fill(channel: ChannelKind, size: number, limit: number): Promise<FillResult> {
    return this.#page.evaluate(([id, channel, size, limit]) => window.links.fill(id, channel, size, limit), [
      this.#id,
      channel,
      size,
      limit,
    ] as const)
  }

  bufferedAmount(channel: ChannelKind): Promise<number> {
    return this.#page.evaluate(([id, channel]) => window.links.bufferedAmount(id, channel), [
      this.#id,
      channel,
    ] as const)
  }

  close(): Promise<void> {
    return this.#page.evaluate((id) => window.links.close(id), this.#id)
  }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function revived(event: Report['events'][number]): LinkEvent {
  if (event.type !== 'message') return event as LinkEvent
  return { ...event, bytes: new Uint8Array(Buffer.from(event.bytes as string, 'base64')) } as LinkEvent
}
