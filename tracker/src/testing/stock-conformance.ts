import { expect, it } from 'vitest'
import { newHexId, Stock, scrapeAt } from './stock-client.js'
import { connectPair, PAIR_PATIENCE_MS } from './webrtc-pair.js'

/** One tracker, or several that are one. */
export interface StockTarget {
  /** `http://` of each of its nodes. */
  readonly urls: readonly string[]
  /** Sockets that are open, at all nodes. */
  sockets(): number
}

/** Nodes hear of each other's peers within moments; on a busy machine that takes longer. */
const PATIENCE = { timeout: 15_000, interval: 25 }

/** Bytes of a torrent that no 32-bit number holds, and no exact double: 2^60. */
const LARGE = 2 ** 60

/** What the stock client does, at a tracker of either engine or at a cluster: peers go to its nodes in turn. */
export function stockClientConformance(at: StockTarget): void {
  const urlOf = (index: number) => at.urls[index % at.urls.length] ?? ''

  /** Waits until all nodes count so many. */
  async function counted(infoHash: string, complete: number, incomplete: number): Promise<void> {
    for (const url of at.urls) {
      await expect.poll(() => scrapeAt(url, infoHash), PATIENCE).toMatchObject({ complete, incomplete })
    }
  }

  async function ended(...stocks: readonly Stock[]): Promise<void> {
    await Promise.all(stocks.map((stock) => stock.destroy()))
    await expect.poll(() => at.sockets(), PATIENCE).toBe(0)
    expect(stocks.flatMap(({ warnings }) => warnings)).toEqual([])
  }

  it('starts, updates, completes, stops and is destroyed', async () => {
    const infoHash = newHexId()
    const [a, b] = [new Stock(urlOf(0), { infoHash }), new Stock(urlOf(1), { infoHash })]
    expect(await a.announce('start', { left: Number.POSITIVE_INFINITY })).toMatchObject({
      infoHash,
      complete: 0,
      incomplete: 1,
    })
    await counted(infoHash, 0, 1)
    expect(await b.announce('start', { left: 10 })).toMatchObject({ complete: 0, incomplete: 2 })
    await counted(infoHash, 0, 2)
    expect(await a.announce('update', { left: 5 })).toMatchObject({ complete: 0, incomplete: 2 })
    expect(await a.announce('complete', { left: 0 })).toMatchObject({ complete: 1, incomplete: 1 })
    await counted(infoHash, 1, 1)
    expect(await b.announce('stop')).toMatchObject({ complete: 1, incomplete: 0 })
    await counted(infoHash, 1, 0)
    await ended(a, b)
    await counted(infoHash, 0, 0)
  })

  it('scrapes one and several', async () => {
    const stocks = [0, 1].map((index) => new Stock(urlOf(index)))
    for (const stock of stocks) {
      await stock.announce('start', { left: 0 })
      await counted(stock.infoHash, 1, 0)
    }
    const hashes = stocks.map(({ infoHash }) => infoHash)
    expect(await stocks[0]?.scrape()).toMatchObject({
      infoHash: hashes[0],
      complete: 1,
      incomplete: 0,
      downloaded: 0,
    })
    const many = await scrapeAt(urlOf(2), [...hashes, newHexId()])
    expect(Object.values(many).map(({ complete }) => complete)).toEqual([1, 1, 0])
    await ended(...stocks)
  })

  it('has a torrent larger than an exact number', async () => {
    const stock = new Stock(urlOf(0))
    const sizes = { uploaded: LARGE, downloaded: LARGE, left: LARGE }
    expect(await stock.announce('start', sizes)).toMatchObject({ complete: 0, incomplete: 1 })
    expect(await stock.announce('complete', { ...sizes, left: 0 })).toMatchObject({
      complete: 1,
      incomplete: 0,
    })
    await ended(stock)
  })

  it('has several torrents on one socket', async () => {
    const path = newHexId()
    const stocks = [1, 2, 3].map(() => new Stock(urlOf(0), { path }))
    for (const stock of stocks) {
      expect(await stock.announce('start', { left: 1 })).toMatchObject({ complete: 0, incomplete: 1 })
    }
    expect(at.sockets()).toBe(1)
    const [first, ...others] = stocks
    await first?.announce('stop')
    expect(at.sockets()).toBe(1)
    for (const { infoHash } of others) await counted(infoHash, 0, 1)
    await counted(first?.infoHash ?? '', 0, 0)
    await ended(...stocks)
  })

  it('comes back with the same peer id while its old socket is still there, and counts once', async () => {
    const [infoHash, peerId] = [newHexId(), newHexId()]
    const old = new Stock(urlOf(0), { infoHash, peerId })
    await old.announce('start', { left: 1 })
    const again = new Stock(urlOf(0), { infoHash, peerId })
    expect(await again.announce('start', { left: 1 })).toMatchObject({ complete: 0, incomplete: 1 })
    await old.destroy()
    expect(await again.announce('update', { left: 1 })).toMatchObject({ complete: 0, incomplete: 1 })
    // From here on perhaps at another node, as a load balancer may have it.
    await ended(again)
    const elsewhere = new Stock(urlOf(1), { infoHash, peerId })
    await counted(infoHash, 0, 0)
    expect(await elsewhere.announce('start', { left: 1 })).toMatchObject({ complete: 0, incomplete: 1 })
    await counted(infoHash, 0, 1)
    await ended(elsewhere)
    expect(old.warnings).toEqual([])
  })

  it(
    'connects two peers over WebRTC, and data passes',
    async () => {
      const pair = await connectPair(at.urls.slice(0, 2).map((url) => url.replace('http', 'ws')))
      expect(pair).toEqual({ received: ['from a', 'from b'], warnings: [] })
    },
    PAIR_PATIENCE_MS,
  )
}
