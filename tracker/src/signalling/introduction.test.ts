import { MAX_TRACKER_MESSAGE_CHARS, millis, readTrackerMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { readCsv } from '../locality/csv.js'
import { KnownPlaces } from '../locality/known-places.js'
import { ALIVE_SECONDS } from '../swarm/registry.js'
import { Session } from '../swarm/session.js'
import { announce, answer, HASH, id, offers, shoal } from '../testing/messages.js'
import { seededRandom } from '../testing/swarm-builder.js'
import { textOutlet } from '../testing/text-outlet.js'
import { DEFAULT_SIGNALLING_OPTIONS, Tracker } from './tracker.js'

const TABLE = await readCsv('10.1.0.0/16,64500,DE,Hamburg\n10.2.0.0/16,64501,DE,Berlin\n')

/** A tracker that knows two networks, and clients with addresses. */
class Scene {
  readonly places = new KnownPlaces(1)
  readonly tracker = new Tracker(DEFAULT_SIGNALLING_OPTIONS, seededRandom(1), this.places)
  now = 0

  constructor() {
    this.places.replace(0, TABLE)
  }

  client(address: string | null): Client {
    return new Client(this, address)
  }
}

class Client {
  private readonly session: Session
  private readonly scene: Scene
  texts: string[] = []

  constructor(scene: Scene, address: string | null) {
    this.scene = scene
    this.session = new Session(
      textOutlet((text) => this.texts.push(text)),
      address,
    )
  }

  send(message: unknown): Record<string, unknown>[] {
    const data = Buffer.from(JSON.stringify(message))
    this.scene.tracker.message(this.session, data, millis(this.scene.now))
    return this.take()
  }

  take(): Record<string, unknown>[] {
    const { texts } = this
    this.texts = []
    return texts.map((text) => JSON.parse(text))
  }
}

describe("offers and answers between Shoal's peers", () => {
  it('tell the cost of traffic and the age of whom they come from', () => {
    const scene = new Scene()
    const [a, b] = [scene.client('10.1.0.1'), scene.client('10.2.0.1')]
    scene.now = 5_000
    a.send(shoal('a'))
    scene.now = 12_999
    b.send(shoal('b', {}, offers('o')))
    expect(a.take()).toMatchObject([{ offer_id: id('o'), shoal: { v: 1, cost: 65, age: 0 } }])
    a.send(answer('a', 'b', 'o'))
    expect(b.take()).toMatchObject([{ offer_id: id('o'), shoal: { v: 1, cost: 65, age: 7 } }])
  })

  it('know no address and no later age than a day', () => {
    const scene = new Scene()
    const [a, b] = [scene.client(null), scene.client('10.2.0.1')]
    a.send(shoal('a'))
    scene.now = 100_000_000
    b.send(shoal('b'))
    a.send(shoal('a', {}, offers('o')))
    expect(b.take()).toMatchObject([{ shoal: { v: 1, cost: 50, age: 86_400 } }])
  })

  it('are read by our clients', () => {
    const scene = new Scene()
    const [a, b] = [scene.client('10.1.0.1'), scene.client('10.1.9.1')]
    a.send(shoal('a'))
    b.send(shoal('b', {}, offers('o')))
    const [text = ''] = a.texts
    expect(text.length).toBeLessThan(MAX_TRACKER_MESSAGE_CHARS)
    // The description of this test is none that a client takes; the rest is.
    const sdp = `v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:abcd\r\na=ice-pwd:${'x'.repeat(22)}\r\na=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}\r\n`
    const message = JSON.parse(text)
    const read = readTrackerMessage(JSON.stringify({ ...message, offer: { type: 'offer', sdp } }))
    expect(read).toMatchObject({ type: 'offer', cost: 20, ageSeconds: 0 })
  })

  it('between stock clients tell nothing', () => {
    const scene = new Scene()
    const [a, b] = [scene.client('10.1.0.1'), scene.client('10.1.0.1')]
    a.send(announce('a'))
    b.send(announce('b', offers('o')))
    const [offer] = a.take()
    expect(offer).toMatchObject({ offer_id: id('o') })
    expect(offer).not.toHaveProperty('shoal')
  })

  it('follow a reconnection from elsewhere, and what is known anew', async () => {
    const scene = new Scene()
    const [a, b] = [scene.client('10.1.0.1'), scene.client('10.2.0.1')]
    a.send(shoal('a'))
    b.send(shoal('b'))
    expect(scene.client('10.2.0.1').send(shoal('a', {}, offers('x')))).toMatchObject([
      { code: 'peer-id-in-use' },
    ])
    expect(b.take()).toEqual([])
    scene.now += 1000 * ALIVE_SECONDS
    scene.client('10.2.0.1').send(shoal('a', {}, offers('o')))
    expect(b.take()).toMatchObject([{ shoal: { cost: 0 } }])
    scene.now += 1000 * ALIVE_SECONDS
    scene.client('10.1.0.1').send(shoal('a'))
    scene.places.replace(0, await readCsv('10.0.0.0/8,64500,DE,Hamburg\n'))
    b.send(shoal('b'))
    scene.client('10.1.0.2').send(shoal('a', {}, offers('p')))
    expect(b.take()).toMatchObject([{ shoal: { cost: 20 } }])
  })
})

describe("replies to Shoal's peers", () => {
  it('tell how many viewers serve others, and the median of their uplinks', () => {
    const scene = new Scene()
    const last = (name: string, told: Readonly<Record<string, unknown>>) =>
      scene.client('10.1.0.1').send(shoal(name, told)).at(-1)
    expect(last('p0', {})).toMatchObject({ shoal: { eligible: 1, median_uplink: 0 } })
    for (let i = 1; i < 5; i++) last(`p${i}`, { uplink: 400_000 })
    expect(last('p5', { uploads: false })).toMatchObject({ shoal: { eligible: 5, median_uplink: 0 } })
    const reply = last('p6', { uplink: 400_000 })
    expect(reply).toMatchObject({ shoal: { v: 1, report_interval: 10, eligible: 6 } })
    const median = Number((reply?.['shoal'] as Record<string, unknown> | undefined)?.['median_uplink'])
    expect(median).toBeGreaterThan(380_000)
    expect(median).toBeLessThan(420_000)
    expect(readTrackerMessage(JSON.stringify(reply))).toMatchObject({ eligible: 6, medianUplink: median })
    expect(last('seeder', { role: 'seeder', uplink: 1e8 })).toMatchObject({ shoal: { eligible: 6 } })
  })

  it('to the last one that leaves tell none', () => {
    const scene = new Scene()
    const a = scene.client('10.1.0.1')
    a.send(shoal('a', { uplink: 1e6 }))
    expect(a.send(shoal('a', {}, { event: 'stopped' }))).toMatchObject([
      { info_hash: HASH, shoal: { eligible: 0, median_uplink: 0 } },
    ])
    expect(scene.tracker.registry.swarmCount).toBe(0)
  })
})
