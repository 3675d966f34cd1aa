/** The parts of the stock client that the tests use; it comes without declarations. */
declare module 'bittorrent-tracker' {
  export interface AnnounceOptions {
    numwant?: number
    left?: number
    uploaded?: number
    downloaded?: number
  }

  export interface ScrapeResult {
    readonly infoHash: string
    readonly complete: number
    readonly incomplete: number
    readonly downloaded: number
  }

  export interface UpdateResult {
    readonly complete: number
    readonly incomplete: number
    readonly infoHash: string
  }

  export interface ClientOptions {
    /** 40 hexadecimal digits, both. */
    readonly infoHash: string
    readonly peerId: string
    readonly announce: readonly string[]
    readonly port: number
  }

  export default class Client {
    static scrape(
      options: { readonly infoHash: string | readonly string[]; readonly announce: string },
      done: (error: Error | null, result: ScrapeResult & Record<string, ScrapeResult>) => void,
    ): Client

    constructor(options: ClientOptions)
    start(options?: AnnounceOptions): void
    update(options?: AnnounceOptions): void
    complete(options?: AnnounceOptions): void
    stop(options?: AnnounceOptions): void
    scrape(): void
    destroy(done?: () => void): void
    once(event: 'update', listener: (result: UpdateResult) => void): this
    once(event: 'scrape', listener: (result: ScrapeResult) => void): this
    on(event: 'warning' | 'error', listener: (error: Error) => void): this
  }
}
