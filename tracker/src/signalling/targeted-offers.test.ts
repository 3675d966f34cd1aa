import { millis, readTrackerMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { MAX_UNANSWERED_OFFERS } from '../swarm/matching.js'
import { OFFER_LIFE_MS } from '../swarm/offers-in-flight.js'
import { Session } from '../swarm/session.js'
import { announce, answer, candidates, id, offers, shoal } from '../testing/messages.js'
import { seededRandom } from '../testing/swarm-builder.js'
import { textOutlet } from '../testing/text-outlet.js'
import { DEFAULT_SIGNALLING_OPTIONS, Tracker } from './tracker.js'

type Message = Readonly<Record<string, unknown>>

/** A tracker and one socket for each peer, by name. */
class Scene {
  readonly tracker = new Tracker(DEFAULT_SIGNALLING_OPTIONS, seededRandom(1))
  private readonly clients = new Map<string, { session: Session; texts: string[] }>()
  now = 0

  /** What comes back at once. */
  send(name: string, message: unknown): Message[] {
    const { session } = this.client(name)
    this.tracker.message(session, Buffer.from(JSON.stringify(message)), millis(this.now))
    return this.take(name)
  }

  take(name: string): Message[] {
    const client = this.client(name)
    return client.texts.splice(0).map((text) => JSON.parse(text) as Message)
  }

  /** Whom the tracker names to a peer that wants so many. */
  named(name: string, want = 5, tells = {}): readonly unknown[] {
    const [reply] = this.send(name, shoal(name, { ...tells, want }))
    const told = reply?.['shoal'] as { readonly introduced?: readonly unknown[] } | undefined
    if (told?.introduced === undefined) throw new Error('nobody was named, not even nobody')
    return told.introduced
  }

  leave(name: string): void {
    this.tracker.closed(this.client(name).session, millis(this.now))
    this.clients.delete(name)
  }

  private client(name: string) {
    const known = this.clients.get(name)
    if (known !== undefined) return known
    const texts: string[] = []
    const client = { session: new Session(textOutlet((text) => texts.push(text))), texts }
    this.clients.set(name, client)
    return client
  }
}

const [entry] = offers('o')['offers'] as [Message]

/** An announce with one offer for a peer. */
const offerTo = (from: string, to: string | null, offerId = 'o') =>
  shoal(from, {}, { offers: [{ to_peer_id: to === null ? null : id(to), ...entry, offer_id: id(offerId) }] })

describe('a peer that wants to know whom to offer to', () => {
  it('is named others of its kind, and nobody where there is nobody', () => {
    const scene = new Scene()
    scene.send('stock', announce('stock'))
    expect(scene.named('a')).toEqual([])
    scene.send('seeder', shoal('seeder', { role: 'seeder' }))
    scene.send('b', shoal('b', { nat: 'symmetric' }))
    expect(new Set(scene.named('a'))).toEqual(new Set([id('b'), id('seeder')]))
    // Two behind symmetric NATs do not reach each other.
    expect(scene.named('c', 5, { nat: 'symmetric' })).not.toContain(id('b'))
    expect([scene.take('stock'), scene.take('b')]).toEqual([[], []])
  })

  it('is named as many as it wants, and others while there are others', () => {
    const scene = new Scene()
    for (let i = 0; i < 20; i++) scene.send(`p${i}`, shoal(`p${i}`))
    const first = scene.named('a', 4)
    const second = scene.named('a', 4)
    expect(new Set([...first, ...second]).size).toBe(8)
  })

  it('is told in a reply that our clients read, and nobody else is told', () => {
    const scene = new Scene()
    scene.send('b', shoal('b'))
    const [reply] = scene.send('a', shoal('a', { want: 1 }))
    expect(readTrackerMessage(JSON.stringify(reply))).toMatchObject({ introduced: [id('b')] })
    const [plain] = scene.send('a', shoal('a'))
    expect(plain?.['shoal']).not.toHaveProperty('introduced')
    expect(scene.send('stock', announce('stock'))[0]).not.toHaveProperty('shoal')
    expect(scene.send('b', shoal('b', { want: 1 }, { event: 'stopped' }))[0]?.['shoal']).not.toHaveProperty(
      'introduced',
    )
  })

  it.each([0, 11, 1.5, '5', true, []])('is told what is wrong with %j', (want) => {
    expect(new Scene().send('a', shoal('a', { want }))).toMatchObject([
      { 'failure reason': 'shoal.want: not a whole number from 1 to 10', code: 'bad-message' },
    ])
  })
})

describe('an offer with a target', () => {
  it('reaches who was named, and answers and candidates follow', () => {
    const scene = new Scene()
    scene.send('b', shoal('b'))
    scene.named('a')
    scene.send('a', offerTo('a', 'b'))
    const [offer] = scene.take('b')
    expect(offer).toMatchObject({
      peer_id: id('a'),
      offer_id: id('o'),
      offer: { sdp: 'sdp o' },
      shoal: { age: 0 },
    })
    expect(offer).not.toHaveProperty('to_peer_id')
    scene.send('b', answer('b', 'a', 'o'))
    scene.send('b', candidates('b', 'a', 'o'))
    expect(scene.take('a')).toMatchObject([{ answer: { type: 'answer' } }, { peer_id: id('b') }])
    scene.send('a', candidates('a', 'b', 'o'))
    expect(scene.take('b')).toHaveLength(1)
    expect(scene.tracker.counters).toMatchObject({ introductions: 1, uninvited: 0, strays: 0 })
  })

  it('goes to nobody else: not unasked, not twice, not late, not to who has left', () => {
    const scene = new Scene()
    for (const name of ['b', 'c']) scene.send(name, shoal(name))
    scene.send('a', offerTo('a', 'b'))
    scene.named('a')
    scene.send('a', offerTo('a', 'b'))
    scene.take('b')
    scene.send('a', offerTo('a', 'b', 'again'))
    scene.now += OFFER_LIFE_MS
    scene.send('a', offerTo('a', 'c'))
    scene.named('a')
    scene.leave('c')
    scene.send('c', shoal('c'))
    scene.send('a', offerTo('a', 'c'))
    scene.send('stock', { ...offerTo('stock', 'b'), shoal: undefined })
    expect([scene.take('b'), scene.take('c')]).toEqual([[], []])
    expect(scene.tracker.counters).toMatchObject({ offersRelayed: 1, uninvited: 5 })
  })

  it('goes with others that the tracker chooses for', () => {
    const scene = new Scene()
    for (const name of ['b', 'c']) scene.send(name, shoal(name))
    const [named] = scene.named('a', 1)
    const other = named === id('b') ? 'c' : 'b'
    const both = [
      { to_peer_id: named, ...entry },
      { ...entry, offer_id: id('any') },
    ]
    scene.send('a', shoal('a', {}, { offers: both }))
    expect(scene.take(other)).toMatchObject([{ offer_id: id('any') }])
  })

  it('for another node goes nowhere where there is none', () => {
    const scene = new Scene()
    scene.send('b', shoal('b'))
    scene.send('a', offerTo('a', null))
    expect(scene.take('b')).toEqual([])
  })

  it.each([7, '', 'short', id('a').replace('-', 'Ā')])('is refused where it is %j', (target) => {
    const offer = { ...entry, to_peer_id: target }
    expect(new Scene().send('a', shoal('a', {}, { offers: [offer] }))).toMatchObject([
      { 'failure reason': 'offers[0].to_peer_id: not a string of 20 binary characters' },
    ])
  })

  it('is no answer to an introduction, whatever its id', () => {
    const scene = new Scene()
    scene.send('b', shoal('b'))
    scene.named('a')
    scene.send('b', { ...answer('b', 'a', ''), offer_id: '\0'.repeat(20) })
    scene.send('b', { ...candidates('b', 'a', ''), offer_id: '\0'.repeat(20) })
    expect(scene.take('a')).toEqual([])
    expect(scene.tracker.counters.strays).toBe(2)
  })
})

it('introductions are bounded: those of a peer, of a pair, and to a peer', () => {
  const scene = new Scene()
  scene.send('b', shoal('b'))
  for (let i = 0; i < 300; i++) expect(scene.named('a', 10)).toEqual([id('b')])
  expect(scene.tracker.offersInFlight).toBe(1)
  for (let i = 0; i < MAX_UNANSWERED_OFFERS + 10; i++) {
    const name = `seeder ${i}`
    scene.named(name, 1, { role: 'seeder' })
  }
  const peer = [...scene.tracker.registry.swarms()][0]?.peers.get(id('b') as never)
  // Seeders want no seeders: there are 'a' and 'b' for each of them.
  expect(peer?.unanswered).toBeGreaterThan(200)
  expect(peer?.unanswered).toBeLessThanOrEqual(MAX_UNANSWERED_OFFERS)
  scene.now += OFFER_LIFE_MS
  scene.tracker.sweep(millis(scene.now))
  expect([scene.tracker.offersInFlight, peer?.unanswered]).toEqual([0, 0])
})
