import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Session } from '../swarm/session.js'
import { announce, answer, candidates, HASH, id, offers, shoal } from '../testing/messages.js'
import { seededRandom } from '../testing/swarm-builder.js'
import { textOutlet } from '../testing/text-outlet.js'
import { Strikes } from './strikes.js'
import { DEFAULT_SIGNALLING_OPTIONS, Tracker } from './tracker.js'

type Sent = Record<string, unknown>

/** A tracker with a clock that a test turns. */
class Scene {
  readonly tracker = new Tracker(DEFAULT_SIGNALLING_OPTIONS, seededRandom(1))
  now = 0

  client(): Client {
    return new Client(this)
  }
}

class Client {
  readonly session: Session
  private readonly scene: Scene
  private sent: Sent[] = []

  constructor(scene: Scene) {
    this.scene = scene
    this.session = new Session(textOutlet((text) => this.sent.push(JSON.parse(text))))
  }

  /** Sends and takes everything that this client has got since. */
  send(message: unknown): Sent[] {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    this.scene.tracker.message(this.session, Buffer.from(text), millis(this.scene.now))
    return this.take()
  }

  take(): Sent[] {
    const sent = this.sent
    this.sent = []
    return sent
  }

  close(): void {
    this.scene.tracker.closed(this.session, millis(this.scene.now))
  }
}

const REPORT = { http: 100, peers: 50, seeders: 20, uploaded: 10, links: 2, stalls: 1 }

describe('announce', () => {
  it('is replied to with the counts after it, before the relays', () => {
    const scene = new Scene()
    const [a, b] = [scene.client(), scene.client()]
    expect(a.send(announce('a', offers('o1')))).toEqual([
      { complete: 0, incomplete: 1, action: 'announce', interval: 120, info_hash: HASH },
    ])
    expect(b.send(announce('b', { left: 0, ...offers('o2', 'o3') }))).toEqual([
      { complete: 1, incomplete: 1, action: 'announce', interval: 120, info_hash: HASH },
    ])
    expect(a.take()).toEqual([
      {
        action: 'announce',
        offer: { type: 'offer', sdp: 'sdp o2' },
        offer_id: id('o2'),
        peer_id: id('b'),
        info_hash: HASH,
      },
    ])
  })

  it('of a peer that stops is replied to, known or not', () => {
    const scene = new Scene()
    const [a, b] = [scene.client(), scene.client()]
    a.send(announce('a'))
    expect(b.send(announce('b', { event: 'stopped' }))).toMatchObject([{ incomplete: 1 }])
    expect(a.send(announce('a', { event: 'stopped' }))).toMatchObject([{ complete: 0, incomplete: 0 }])
    expect(scene.tracker.registry.swarmCount).toBe(0)
  })

  it('cannot stop a peer of another socket', () => {
    const scene = new Scene()
    scene.client().send(announce('a'))
    expect(scene.client().send(announce('a', { event: 'stopped' }))).toMatchObject([{ incomplete: 1 }])
  })

  it('keeps a stock client complete that does not say what is left', () => {
    const scene = new Scene()
    const a = scene.client()
    expect(a.send(announce('a', { left: null }))).toMatchObject([{ complete: 0, incomplete: 1 }])
    expect(a.send(announce('a', { left: null, event: 'completed' }))).toMatchObject([{ complete: 1 }])
    expect(a.send(announce('a', { left: undefined }))).toMatchObject([{ complete: 1, incomplete: 0 }])
    a.send(announce('a', { event: 'completed' }))
    expect(a.send(announce('a', { left: 5 }))).toMatchObject([{ complete: 0, incomplete: 1 }])
    expect(a.send({ action: 'scrape', info_hash: HASH })).toMatchObject([
      { files: { [HASH]: { complete: 0, incomplete: 1, downloaded: 1 } } },
    ])
  })

  it('relays to the socket that a peer id was announced on last', () => {
    const scene = new Scene()
    const [halfOpen, fresh, other] = [scene.client(), scene.client(), scene.client()]
    halfOpen.send(announce('a'))
    fresh.send(announce('a'))
    other.send(announce('b', offers('o')))
    expect(halfOpen.take().filter((message) => 'offer' in message)).toEqual([])
    expect(fresh.take()).toMatchObject([{ offer_id: id('o') }])
    halfOpen.close()
    expect(other.send(announce('b'))).toMatchObject([{ incomplete: 2 }])
  })

  it('does not mix Shoal peers with others', () => {
    const scene = new Scene()
    const [stock, ours, asker] = [scene.client(), scene.client(), scene.client()]
    stock.send(announce('stock'))
    ours.send(shoal('ours'))
    asker.send(shoal('asker', {}, offers('o1', 'o2')))
    expect(stock.take()).toEqual([])
    expect(ours.take()).toMatchObject([{ offer_id: id('o1') }])
  })
})

describe('answers and candidates', () => {
  function introduced() {
    const scene = new Scene()
    const [a, b, c] = [scene.client(), scene.client(), scene.client()]
    b.send(shoal('b'))
    a.send(shoal('a', {}, offers('o')))
    b.take()
    c.send(shoal('c'))
    return { scene, a, b, c }
  }

  it('are relayed between the two ends of an offer', () => {
    const { a, b } = introduced()
    expect(b.send(candidates('b', 'a', 'o', 2))).toEqual([])
    expect(b.send(answer('b', 'a', 'o'))).toEqual([])
    expect(a.take()).toMatchObject([
      { action: 'announce', info_hash: HASH, peer_id: id('b'), offer_id: id('o'), shoal: { v: 1 } },
      { peer_id: id('b'), offer_id: id('o'), answer: { type: 'answer', sdp: 'answer to o' } },
    ])
    expect(a.send(candidates('a', 'b', 'o'))).toEqual([])
    expect(b.take()).toMatchObject([{ peer_id: id('a'), shoal: { candidates: [{ sdpMid: '0' }] } }])
  })

  it('are dropped without a word for anybody else', () => {
    const { scene, a, b, c } = introduced()
    expect(c.send(answer('c', 'a', 'o'))).toEqual([])
    expect(c.send(answer('b', 'a', 'o'))).toEqual([])
    expect(c.send(candidates('c', 'b', 'o'))).toEqual([])
    expect(c.send(answer('c', 'nobody', 'o'))).toEqual([])
    expect([...a.take(), ...b.take()]).toEqual([])
    expect(scene.tracker.counters.strays).toBe(4)
  })

  it('are dropped after a minute', () => {
    const { scene, a, b } = introduced()
    scene.now = 60_000
    b.send(answer('b', 'a', 'o'))
    expect(a.take()).toEqual([])
  })

  it('are dropped between stock clients when they are candidates', () => {
    const scene = new Scene()
    const [a, b] = [scene.client(), scene.client()]
    b.send(announce('b'))
    a.send(announce('a', offers('o')))
    b.take()
    expect(b.send(candidates('b', 'a', 'o'))).toEqual([])
    expect(a.take()).toEqual([])
  })

  it('to a peer that left are dropped', () => {
    const { a, b } = introduced()
    a.close()
    expect(b.send(answer('b', 'a', 'o'))).toEqual([])
  })
})

describe('the extension', () => {
  it('is replied to in kind', () => {
    const scene = new Scene()
    expect(scene.client().send(shoal('a'))).toMatchObject([{ shoal: { v: 1, report_interval: 10 } }])
    expect(scene.client().send(announce('b'))[0]).not.toHaveProperty('shoal')
  })

  it('makes a seeder by its role', () => {
    const scene = new Scene()
    expect(scene.client().send(shoal('a', { role: 'seeder', name: 'T' }, { left: 7 }))).toMatchObject([
      { complete: 1, incomplete: 0 },
    ])
    expect([...scene.tracker.registry.swarms()][0]?.name).toBe('T')
  })

  it('adds up reports, also over a lost socket', () => {
    const scene = new Scene()
    const a = scene.client()
    a.send(shoal('a', { report: REPORT }, { event: 'started' }))
    scene.now = 10_000
    a.send(shoal('a', { report: { ...REPORT, http: 150 } }, { event: 'update' }))
    expect(scene.tracker.totals).toMatchObject({ httpBytes: 150, peerBytes: 50, seederBytes: 20, stalls: 1 })
    a.close()
    expect(scene.tracker.registry.swarmCount).toBe(0)
    scene.now = 20_000
    scene.client().send(shoal('a', { report: { ...REPORT, http: 160 } }))
    expect(scene.tracker.totals).toMatchObject({ httpBytes: 160, peerBytes: 50 })
  })

  it('takes the last report with the farewell', () => {
    const scene = new Scene()
    const a = scene.client()
    a.send(shoal('a'))
    a.send(shoal('a', { report: REPORT }, { event: 'stopped' }))
    expect(scene.tracker.totals.uploadedBytes).toBe(10)
  })
})

describe('time', () => {
  it('drops peers that missed three announces, and old offers', () => {
    const scene = new Scene()
    const [a, b] = [scene.client(), scene.client()]
    b.send(announce('b'))
    a.send(announce('a', offers('o')))
    expect(scene.tracker.offersInFlight).toBe(1)
    scene.tracker.sweep(millis(60_000))
    expect(scene.tracker.offersInFlight).toBe(0)
    scene.now = 300_000
    a.send(announce('a'))
    scene.tracker.sweep(millis(361_000))
    expect(a.send(announce('a'))).toMatchObject([{ incomplete: 1 }])
  })
})

describe('a socket that keeps sending rubbish', () => {
  it('is struck out by a burst, not by a trickle', () => {
    const trickle = new Strikes()
    for (let i = 0; i < 1000; i++) expect(trickle.add(millis(i * 1000))).toBe(false)
    const burst = new Strikes()
    const verdicts = Array.from({ length: 101 }, () => burst.add(millis(5)))
    expect(verdicts.indexOf(true)).toBe(100)
  })
})

describe('for any sequence of messages', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const message = fc.oneof(
    fc
      .tuple(name, fc.nat(10), fc.boolean())
      .map(([peer, o, ours]) => (ours ? shoal : announce)(peer, offers(`o${o}`))),
    fc.tuple(name, name, fc.nat(10)).map(([peer, to, o]) => answer(peer, to, `o${o}`)),
    fc.tuple(name, name, fc.nat(10)).map(([peer, to, o]) => candidates(peer, to, `o${o}`)),
    name.map((peer) => announce(peer, { event: 'stopped' })),
    fc.jsonValue(),
  )

  it('nothing is thrown, and nothing is left when all sockets are closed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), message), { maxLength: 50 }), (steps) => {
        const scene = new Scene()
        const clients = [scene.client(), scene.client(), scene.client()]
        for (const [client, text] of steps) {
          scene.now += 700
          clients[client]?.send(text)
        }
        for (const client of clients) client.close()
        expect(scene.tracker.registry.swarmCount).toBe(0)
        expect(scene.tracker.offersInFlight).toBe(0)
      }),
    )
  })
})
