import type { AnnounceOptions, ScrapeResult, UpdateResult } from 'bittorrent-tracker'
import Client from 'bittorrent-tracker'
import { expect, it } from 'vitest'
import { describeEngines } from '../testing/engines.js'
import { connectPair, PAIR_PATIENCE_MS } from '../testing/webrtc-pair.js'

let serial = 0
const newId = () => (++serial).toString(16).padStart(40, 'e')

/** The stock client; it shares one socket among the clients of one URL. */
class Stock {
  readonly client: Client
  readonly warnings: string[] = []

  constructor(url: string, infoHash = newId(), path = newId()) {
    const announce = [`${url.replace('http', 'ws')}/${path}`]
    this.client = new Client({ infoHash, peerId: newId(), announce, port: 6881 })
    this.client.on('warning', ({ message }) => this.warnings.push(message))
    this.client.on('error', ({ message }) => this.warnings.push(message))
  }

  /** Without offers: what WebRTC does has its own test. */
  announce(
    kind: 'start' | 'update' | 'complete' | 'stop',
    options: AnnounceOptions = {},
  ): Promise<UpdateResult> {
    const updated = new Promise<UpdateResult>((resolve) => this.client.once('update', resolve))
    this.client[kind]({ numwant: 0, ...options })
    return updated
  }

  destroy(): Promise<void> {
    return new Promise((resolve) => this.client.destroy(resolve))
  }
}

describeEngines('the stock client', {}, (at) => {
  it('starts, updates, completes, stops and is destroyed', async () => {
    const infoHash = newId()
    const [a, b] = [new Stock(at.url, infoHash), new Stock(at.url, infoHash)]
    expect(await a.announce('start', { left: Number.POSITIVE_INFINITY })).toMatchObject({
      infoHash,
      complete: 0,
      incomplete: 1,
    })
    expect(await b.announce('start', { left: 10 })).toMatchObject({ complete: 0, incomplete: 2 })
    expect(await a.announce('update', { left: 5 })).toMatchObject({ complete: 0, incomplete: 2 })
    expect(await a.announce('complete', { left: 0 })).toMatchObject({ complete: 1, incomplete: 1 })
    expect(await b.announce('stop')).toMatchObject({ complete: 1, incomplete: 0 })
    await Promise.all([a.destroy(), b.destroy()])
    await expect.poll(() => at.stats().sockets).toBe(0)
    expect([...a.warnings, ...b.warnings]).toEqual([])
  })

  it('scrapes one and several', async () => {
    const hashes = [newId(), newId()]
    const stocks = hashes.map((infoHash) => new Stock(at.url, infoHash))
    for (const stock of stocks) await stock.announce('start', { left: 0 })
    const one = new Promise<ScrapeResult>((resolve) => stocks[0]?.client.once('scrape', resolve))
    stocks[0]?.client.scrape()
    expect(await one).toMatchObject({ infoHash: hashes[0], complete: 1, incomplete: 0, downloaded: 0 })
    const many = await new Promise<Record<string, ScrapeResult>>((resolve, reject) => {
      const announce = `${at.url.replace('http', 'ws')}/${newId()}`
      Client.scrape({ infoHash: [...hashes, newId()], announce }, (error, results) =>
        error === null ? resolve(results) : reject(error),
      )
    })
    expect(Object.values(many).map(({ complete }) => complete)).toEqual([1, 1, 0])
    await Promise.all(stocks.map((stock) => stock.destroy()))
  })

  it('has several torrents on one socket', async () => {
    const path = newId()
    await expect.poll(() => at.stats().sockets).toBe(0)
    const stocks = [1, 2, 3].map(() => new Stock(at.url, newId(), path))
    for (const stock of stocks) {
      expect(await stock.announce('start', { left: 1 })).toMatchObject({ complete: 0, incomplete: 1 })
    }
    expect(at.stats()).toMatchObject({ sockets: 1, swarms: 3, others: 3 })
    await stocks[0]?.announce('stop')
    expect(at.stats()).toMatchObject({ sockets: 1, swarms: 2 })
    await Promise.all(stocks.map((stock) => stock.destroy()))
    expect(stocks.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  it(
    'connects two peers over WebRTC, and data passes',
    async () => {
      const pair = await connectPair([at.url.replace('http', 'ws')])
      expect(pair).toEqual({ received: ['from a', 'from b'], warnings: [] })
    },
    PAIR_PATIENCE_MS,
  )
})
