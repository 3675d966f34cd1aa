import type { AnnounceOptions, ScrapeResult, UpdateResult } from 'bittorrent-tracker'
import Client from 'bittorrent-tracker'

let serial = 0

/** 40 hexadecimal digits that nobody else in this process has. */
export const newHexId = () => (++serial).toString(16).padStart(40, 'e')

export interface StockOptions {
  readonly infoHash?: string
  readonly peerId?: string
  /** The stock client shares one socket among the clients of one URL: the path makes it one's own. */
  readonly path?: string
}

/** The stock client, without offers: what WebRTC does has its own tests. */
export class Stock {
  readonly client: Client
  readonly infoHash: string
  readonly warnings: string[] = []

  /** @param url `http://` of a tracker */
  constructor(
    url: string,
    { infoHash = newHexId(), peerId = newHexId(), path = newHexId() }: StockOptions = {},
  ) {
    const announce = [`${url.replace('http', 'ws')}/${path}`]
    this.infoHash = infoHash
    this.client = new Client({ infoHash, peerId, announce, port: 6881 })
    this.client.on('warning', ({ message }) => this.warnings.push(message))
    this.client.on('error', ({ message }) => this.warnings.push(message))
  }

  announce(
    kind: 'start' | 'update' | 'complete' | 'stop',
    options: AnnounceOptions = {},
  ): Promise<UpdateResult> {
    const updated = new Promise<UpdateResult>((resolve) => this.client.once('update', resolve))
    this.client[kind]({ numwant: 0, ...options })
    return updated
  }

  scrape(): Promise<ScrapeResult> {
    const scraped = new Promise<ScrapeResult>((resolve) => this.client.once('scrape', resolve))
    this.client.scrape()
    return scraped
  }

  destroy(): Promise<void> {
    return new Promise((resolve) => this.client.destroy(resolve))
  }
}

/** What the stock client's own function for it says, by info hash where there are several. */
export function scrapeAt(
  url: string,
  infoHash: string | readonly string[],
): Promise<ScrapeResult & Record<string, ScrapeResult>> {
  return new Promise((resolve, reject) => {
    const announce = `${url.replace('http', 'ws')}/${newHexId()}`
    Client.scrape({ infoHash, announce }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    )
  })
}
