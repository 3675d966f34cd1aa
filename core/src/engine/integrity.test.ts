import {
  base64urlOf,
  CHUNK_BYTES,
  chunkCountOf,
  type Have,
  type ManifestSignature,
  MIN_PIECE_BYTES,
  millis,
  type Request,
  type SegmentId,
  type SegmentManifest,
  signedManifestBytes,
} from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { type DriverOptions, EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  runEntry,
  sameBytes,
  TEST_SWARM,
  testBytes,
  testManifest,
  testPeerId,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'
import { toyDigest } from '../testing/toy-crypto.js'

const { tag: swarmTag } = TEST_SWARM
const PIECES = 6
const BYTES = testBytes(PIECES * MIN_PIECE_BYTES)
const INVENTED = testBytes(PIECES * MIN_PIECE_BYTES, 2)
const LATER = 60_000
const SIGNATURE: ManifestSignature = { algorithm: 'ed25519', bytes: new Uint8Array(64).fill(1) }

function signed(manifest: SegmentManifest): SegmentManifest {
  return { ...manifest, signature: SIGNATURE }
}

/** A stand-in for a host that trusts `SIGNATURE`. */
const trustOf: NonNullable<DriverOptions['trustOf']> = ({ signature }) =>
  signature === null ? 'unsigned' : signature.bytes[0] === 1 ? 'trusted' : 'untrusted'

function digestOf(manifest: SegmentManifest): string {
  return base64urlOf(toyDigest(signedManifestBytes(TEST_SWARM.bytes, manifest)))
}

/** An engine with peers and an origin that answers as the test says. */
class Scene {
  readonly driver: EngineDriver
  private serial = 0
  private nextWant = 1
  private loads = 0
  /** What each peer serves, by link; requests are answered at once. */
  private readonly serves = new Map<number, Uint8Array>()
  private readonly answered = new Set<string>()
  /** What a peer's manifests are of, by link, for those that answer when they are asked. */
  readonly tells = new Map<number, Uint8Array>()

  constructor(options: DriverOptions) {
    this.driver = new EngineDriver({ trustOf, ...options })
  }

  /** A peer that serves `bytes` for every segment. */
  peer(link: number, bytes: Uint8Array = BYTES): void {
    this.driver.connect(link)
    this.serves.set(link, bytes)
  }

  says(link: number, sequence: number): void {
    const have: Have = {
      type: 'have',
      swarmTag,
      serial: ++this.serial,
      summary: false,
      backlogMs: 0,
      entries: [runEntry(sequence)],
    }
    this.driver.receive(link, have)
  }

  want(sequence: number, deadlineMs = LATER): SegmentId {
    const id = testSegmentId(sequence)
    this.driver.want(this.nextWant++, wantedOf(id, { deadline: millis(this.driver.now + deadlineMs) }))
    return id
  }

  manifest(link: number, manifest: SegmentManifest): void {
    this.driver.receive(link, { type: 'manifest', swarmTag, manifest })
  }

  /** Lets peers answer what they were asked, for `ms`. */
  run(ms = 1_000): void {
    for (let passed = 0; passed < ms; passed += 50) {
      this.driver.advance(50)
      for (const [link, bytes] of this.serves) this.answer(link, bytes)
      for (const [link, bytes] of this.tells) this.tell(link, bytes)
    }
  }

  requests(link: number): Request[] {
    return this.driver.sent(link).flatMap((message) => (message.type === 'request' ? [message] : []))
  }

  private tell(link: number, bytes: Uint8Array): void {
    for (const [index, message] of this.driver.sent(link).entries()) {
      if (message.type !== 'manifest-request' || this.answered.has(`${link} m${index}`)) continue
      this.answered.add(`${link} m${index}`)
      this.manifest(link, testManifest(message.segment, bytes))
    }
  }

  private answer(link: number, bytes: Uint8Array): void {
    for (const { requestId, piece } of this.requests(link)) {
      const name = `${link} ${requestId}`
      if (this.answered.has(name)) continue
      this.answered.add(name)
      const start = piece * MIN_PIECE_BYTES
      const held = bytes.subarray(start, start + MIN_PIECE_BYTES)
      for (let chunk = 0; chunk < chunkCountOf(held.length); chunk++) {
        const payload = held.slice(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
        this.driver.receive(link, { type: 'data', swarmTag, requestId, chunk, serial: chunk, payload })
      }
    }
  }

  /** Checks that were begun. */
  get checks() {
    return effectsOf(this.driver.effects, 'http-check')
  }

  /** Answers the checks that are open with the origin's bytes. */
  answerChecks(bytes: Uint8Array = BYTES): void {
    for (const { fetchId, span } of this.checks) {
      const { start, end } = span
      this.driver.input({ type: 'http-data', fetchId, offset: start, bytes: bytes.slice(start, end) })
      this.driver.input({ type: 'http-done', fetchId })
    }
  }

  /** Waits for a load from the origin that has not been answered, and answers it. */
  answerLoad(bytes: Uint8Array = BYTES): void {
    const next = () => effectsOf(this.driver.effects, 'http-fetch')[this.loads]
    for (let waits = 0; waits < 200 && next() === undefined; waits++) this.driver.advance(50)
    const fetch = next()
    if (fetch === undefined) throw new Error('no load')
    this.loads++
    const { fetchId, span } = fetch
    const { start, end } = span ?? { start: 0, end: bytes.byteLength }
    this.driver.input({ type: 'http-response', fetchId, total: bytes.byteLength })
    this.driver.input({ type: 'http-data', fetchId, offset: start, bytes: bytes.slice(start, end) })
    this.driver.input({ type: 'http-done', fetchId })
  }

  get results(): Uint8Array[] {
    return effectsOf(this.driver.effects, 'done').map(({ result }) => result.bytes)
  }

  get accused() {
    return effectsOf(this.driver.effects, 'accuse').map(({ peer }) => peer)
  }

  asked(link: number): number {
    return this.driver.sent(link).filter(({ type }) => type === 'manifest-request').length
  }
}

describe('signed', () => {
  const scene = (): Scene => {
    const made = new Scene({ integrity: 'signed' })
    made.peer(1)
    made.says(1, 1)
    made.says(1, 2)
    return made
  }

  it('plays what is signed', () => {
    const one = scene()
    one.manifest(1, signed(testManifest(one.want(1), BYTES)))
    one.run()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
    expect(one.checks).toEqual([])
  })

  it.each<[string, (id: SegmentId) => SegmentManifest]>([
    ['unsigned', (id) => testManifest(id, INVENTED)],
    [
      'signed by a stranger',
      (id) => ({
        ...testManifest(id, INVENTED),
        signature: { algorithm: 'ed25519', bytes: new Uint8Array(64) },
      }),
    ],
    [
      'of another, older segment, with a good signature',
      () => signed(testManifest(testSegmentId(1), INVENTED)),
    ],
    ['of another place in the resource', (id) => signed(testManifest(id, INVENTED, 4_000))],
    ['of another size than the playlist says', (id) => signed(testManifest(id, INVENTED.slice(1)))],
    ['of the first pieces only', (id) => ({ ...testManifest(id, INVENTED), hashes: [toyDigest(INVENTED)] })],
  ])('refuses a manifest that is %s', (_name, make) => {
    const one = scene()
    const id = testSegmentId(2)
    const range = { start: 0, end: BYTES.byteLength }
    one.driver.want(1, wantedOf(id, { range, deadline: millis(one.driver.now + 5_000) }))
    one.manifest(1, make(id))
    one.run()
    expect(one.requests(1)).toEqual([])
    one.answerLoad()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
  })

  it.each<[string, number]>([
    ['fewer', PIECES - 1],
    ['more', PIECES + 1],
  ])('ends the connection for a signed manifest with %s hashes than pieces', (_name, count) => {
    const one = scene()
    const manifest = signed(testManifest(one.want(1), BYTES))
    const hashes = Array.from({ length: count }, () => new Uint8Array(32))
    one.manifest(1, { ...manifest, hashes })
    expect(one.driver.links).toBe(0)
  })

  it('takes no hashes beside a signature', () => {
    const one = scene()
    const id = one.want(1)
    one.manifest(1, signed(testManifest(id, BYTES)))
    one.driver.receive(1, { type: 'hashes', swarmTag, segment: id, first: 0, hashes: [toyDigest(INVENTED)] })
    one.run()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
  })

  it('has no use for Data that come before the manifest', () => {
    const one = scene()
    const id = one.want(1)
    const payload = INVENTED.slice(0, CHUNK_BYTES)
    for (let requestId = 1; requestId <= 3; requestId++) {
      one.driver.receive(1, { type: 'data', swarmTag, requestId, chunk: 0, serial: 0, payload })
    }
    expect(one.driver.engine.snapshot().wastedBytes).toBe(3 * CHUNK_BYTES)
    one.manifest(1, signed(testManifest(id, BYTES)))
    one.run()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
  })

  it('fetches a corrupt piece elsewhere, and bans for the second one, for ten minutes', () => {
    const one = new Scene({ integrity: 'signed' })
    one.peer(1, INVENTED)
    one.peer(2)
    one.says(1, 1)
    one.says(2, 1)
    one.manifest(1, signed(testManifest(one.want(1), BYTES)))
    one.run(2_000)
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
    expect(one.accused).toEqual([testPeerId('peer-1')])
    const back = one.driver.connect(7, { peerId: testPeerId('peer-1') })
    expect(effectsOf(back, 'close-link')).toHaveLength(1)
    one.driver.advance(600_000, 10_000)
    expect(effectsOf(one.driver.connect(8, { peerId: testPeerId('peer-1') }), 'close-link')).toEqual([])
  })

  it('does not blame whoever passes on a signed manifest that the origin does not fit', () => {
    const one = scene()
    const id = one.want(1, 3_000)
    one.manifest(1, signed(testManifest(id, INVENTED)))
    one.answerLoad()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
    expect(one.driver.links).toBe(1)
    expect(one.accused).toEqual([])
    // It may be asked again: nothing is held against it.
    expect(effectsOf(one.driver.effects, 'list')).toEqual([])
  })

  it('passes nothing on that is not signed, and says of it what it said before it was whole', () => {
    const one = new Scene({ integrity: 'signed' })
    one.want(1, 0)
    one.answerLoad()
    one.peer(1)
    one.driver.receive(1, { type: 'manifest-request', swarmTag, segment: testSegmentId(1) })
    one.run()
    const kinds = one.driver.sent(1).flatMap((message) => (message.type === 'have' ? message.entries : []))
    expect(kinds.filter(({ kind }) => kind === 'run')).toEqual([])
    expect(one.driver.sent(1).map(({ type }) => type)).not.toContain('manifest')
  })
})

describe('checked', () => {
  const scene = (options: DriverOptions = {}): Scene => new Scene({ integrity: 'checked', ...options })

  /** Peer 1 has given the manifest of a segment, and all of the bytes that fit it. */
  function fed(one: Scene, sequence: number, bytes = BYTES): void {
    one.says(1, sequence)
    one.manifest(1, testManifest(one.want(sequence), bytes))
    one.run()
  }

  it('compares a little of what came with the origin, and goes on where it is the same', () => {
    const one = scene()
    one.peer(1)
    for (let sequence = 1; sequence <= 40; sequence++) {
      fed(one, sequence)
      one.answerChecks()
    }
    const checked = one.checks.reduce((sum, { span }) => sum + span.end - span.start, 0)
    const { peerBytes, checkedBytes, checksMade, checksFailed } = one.driver.engine.snapshot()
    expect(peerBytes).toBe(40 * BYTES.byteLength)
    expect(checkedBytes).toBe(checked)
    expect(checked / peerBytes).toBeGreaterThan(0.015)
    // One check is allowed before anything was earned.
    expect(checked - 32 * 1024).toBeLessThanOrEqual(0.02 * peerBytes)
    expect([checksMade, checksFailed]).toEqual([one.checks.length, 0])
    // Of every piece alike: whoever alters the last ones only is found as soon.
    expect(
      new Set(one.checks.map(({ span }) => Math.floor(span.start / MIN_PIECE_BYTES))).size,
    ).toBeGreaterThan(1)
  })

  it('finds a made-up segment, reports it, and takes no manifest of its author for a minute', () => {
    const one = scene()
    one.peer(1, INVENTED)
    fed(one, 1, INVENTED)
    expect(one.checks).toHaveLength(1)
    one.answerChecks()
    const { checksFailed } = one.driver.engine.snapshot()
    expect(checksFailed).toBe(1)
    const made = testManifest(testSegmentId(1), INVENTED)
    expect(effectsOf(one.driver.effects, 'list')).toEqual([
      { type: 'list', segment: testSegmentId(1), digest: digestOf(made), wrong: true },
    ])
    one.driver.receive(1, { type: 'manifest-request', swarmTag, segment: testSegmentId(1) })
    expect(one.driver.sent(1).map(({ type }) => type)).not.toContain('manifest')
    // It may have been deceived itself: it stays, and is not accused.
    expect(one.driver.links).toBe(1)
    expect(one.accused).toEqual([])
    const before = one.asked(1)
    one.says(1, 2)
    one.want(2)
    one.run()
    expect(one.asked(1)).toBe(before)
    for (let passed = 0; passed < 60_000; passed += 5_000) {
      one.driver.advance(5_000, 1_000)
      one.says(1, 2)
    }
    one.says(1, 3)
    one.want(3)
    expect(one.asked(1)).toBeGreaterThan(before)
  })

  /** Peer 2 sends bytes that are not the segment's, of four segments; its manifests are of `told`. */
  function wrongPieces(told: Uint8Array | null): Scene {
    const one = scene()
    one.peer(1)
    one.peer(2, INVENTED)
    one.tells.set(1, BYTES)
    if (told !== null) one.tells.set(2, told)
    for (const sequence of [1, 2, 3, 4]) {
      for (const link of [1, 2]) one.says(link, sequence)
      one.want(sequence)
      one.manifest(1, testManifest(testSegmentId(sequence), BYTES))
      one.run(300)
      one.answerChecks()
      one.run(500)
    }
    return one
  }

  it('bans for the second piece that the origin and the sender’s own manifest contradict', () => {
    const one = wrongPieces(BYTES)
    expect(one.driver.engine.snapshot().corruptPieces).toBe(2)
    expect(one.accused).toEqual([testPeerId('peer-2')])
    expect(one.driver.engine.snapshot().links.map(({ peerId }) => peerId)).toEqual([testPeerId('peer-1')])
    expect(one.results.every((bytes) => sameBytes(bytes, BYTES))).toBe(true)
  })

  it.each<[string, Uint8Array | null]>([
    ['was deceived about the segment itself', INVENTED],
    ['does not say what it holds', null],
  ])('takes nothing from a sender of wrong bytes that %s, and does not ban it', (_name, told) => {
    const one = wrongPieces(told)
    expect(one.driver.engine.snapshot().corruptPieces).toBe(1)
    expect(one.accused).toEqual([])
    expect(one.driver.links).toBe(2)
    expect(one.requests(2).every(({ segment }) => segment.sequence === 1)).toBe(true)
  })

  it('clears whoever sends true bytes that a made-up manifest does not fit', () => {
    const one = scene()
    // The slanderer serves nothing; all pieces are asked of the honest one.
    one.peer(2)
    one.driver.connect(1, { uploads: true })
    for (let sequence = 1; sequence <= 4; sequence++) {
      one.says(1, sequence)
      one.want(sequence)
      one.manifest(1, testManifest(testSegmentId(sequence), INVENTED))
      one.says(2, sequence)
      one.run(300)
      one.answerChecks()
      one.run(300)
    }
    expect(one.driver.engine.snapshot().corruptPieces).toBeGreaterThan(0)
    expect(one.accused).toEqual([])
    expect(one.driver.engine.snapshot().links.map(({ peerId }) => peerId)).toContain(testPeerId('peer-2'))
    // Once one was found to be made up, no more of them were asked for.
    expect(one.driver.engine.snapshot().checksFailed).toBe(1)
    expect(one.asked(1)).toBeLessThan(4)
  })

  it('does without where the origin takes no Range, and says so', () => {
    const one = scene()
    one.peer(1)
    fed(one, 1)
    expect(one.driver.engine.snapshot().checks).toBe('on')
    for (const { fetchId } of one.checks) {
      one.driver.input({ type: 'http-data', fetchId, offset: 0, bytes: BYTES.slice() })
    }
    const first = one.checks.some(({ span }) => span.start > 0)
    if (first) expect(one.driver.engine.snapshot().checks).toBe('no-range')
    for (let sequence = 2; sequence <= 20; sequence++) {
      fed(one, sequence)
      for (const { fetchId } of one.checks)
        one.driver.input({ type: 'http-data', fetchId, offset: 0, bytes: BYTES.slice() })
    }
    expect(one.driver.engine.snapshot().checks).toBe('no-range')
    expect(one.driver.engine.snapshot().checksFailed).toBe(0)
    expect(one.results.every((bytes) => sameBytes(bytes, BYTES))).toBe(true)
  })

  it('does not check while the player waits', () => {
    const one = scene()
    one.peer(1)
    one.says(1, 1)
    // Due at the origin as soon as a piece is missing.
    const id = one.want(1, 1_500)
    one.manifest(1, testManifest(id, BYTES))
    one.driver.advance(100)
    expect(one.checks).toEqual([])
  })

  it('drops what it took unsigned when the tracker vouches for a signer', () => {
    const one = scene({ integrity: 'auto' })
    one.peer(1)
    fed(one, 1)
    one.says(1, 2)
    const id = one.want(2)
    one.manifest(1, testManifest(id, INVENTED))
    expect(one.driver.engine.snapshot().integrity).toBe('checked')
    one.driver.input({ type: 'integrity', level: 'signed' })
    expect(one.driver.engine.snapshot()).toMatchObject({ integrity: 'signed', cachedSegments: 0 })
    expect(one.asked(1)).toBe(3)
    one.manifest(1, signed(testManifest(id, BYTES)))
    one.run(3_000)
    expect(sameBytes(one.results[1], BYTES)).toBe(true)
  })

  it('drops a segment that members disagree about, and whom the most of them contradict is not believed', () => {
    const one = scene()
    one.peer(1, INVENTED)
    one.says(1, 1)
    const id = one.want(1)
    one.manifest(1, testManifest(id, INVENTED))
    one.driver.input({ type: 'verdict', verdict: { type: 'disputed', segment: id, wrong: [] } })
    one.answerLoad()
    expect(one.results.map((bytes) => sameBytes(bytes, BYTES))).toEqual([true])
    one.says(1, 2)
    const next = one.want(2)
    const made = testManifest(next, INVENTED)
    one.manifest(1, made)
    one.driver.input({
      type: 'verdict',
      verdict: { type: 'disputed', segment: next, wrong: [digestOf(made)] },
    })
    const asked = one.asked(1)
    one.says(1, 3)
    one.want(3)
    expect(one.asked(1)).toBe(asked)
    expect(one.driver.links).toBe(1)
  })

  it('reports what it loaded whole from the origin', () => {
    const one = scene()
    const id = one.want(1, 0)
    one.answerLoad()
    const digest = digestOf(testManifest(id, BYTES))
    expect(effectsOf(one.driver.effects, 'list')).toEqual([
      { type: 'list', segment: id, digest, wrong: false },
    ])
  })

  it('lets nobody get another distrusted by contradicting it', () => {
    const one = scene()
    one.peer(1)
    one.peer(2, INVENTED)
    const id = testSegmentId(1)
    const first = testManifest(id, BYTES)
    one.says(1, 1)
    one.want(1)
    one.manifest(1, { ...first, hashes: first.hashes.slice(0, 2) })
    one.run(700)
    one.says(2, 1)
    one.run(3_000)
    one.manifest(2, testManifest(id, INVENTED))
    one.answerLoad()
    const [asked1, asked2] = [one.asked(1), one.asked(2)]
    one.says(2, 2)
    one.says(1, 2)
    one.want(2)
    one.driver.advance(1_200)
    expect(one.asked(2)).toBe(asked2)
    expect(one.asked(1)).toBeGreaterThan(asked1)
  })
})

describe('attested', () => {
  it('keeps what it loaded to itself until the tracker has signed it, and asks it to', () => {
    const one = new Scene({ integrity: 'attested' })
    const id = one.want(1, 0)
    one.answerLoad()
    const manifest = testManifest(id, BYTES)
    const digest = digestOf(manifest)
    expect(effectsOf(one.driver.effects, 'list')).toEqual([
      { type: 'list', segment: id, digest, wrong: false },
    ])
    one.peer(1)
    one.driver.receive(1, { type: 'manifest-request', swarmTag, segment: id })
    const given = () =>
      one.driver.sent(1).flatMap((message) => (message.type === 'manifest' ? [message.manifest] : []))
    const verdict = { type: 'attested', segment: id, digest, signature: SIGNATURE } as const
    one.driver.input({
      type: 'verdict',
      verdict: { ...verdict, digest: digestOf(testManifest(id, INVENTED)) },
    })
    const stranger: ManifestSignature = { algorithm: 'ed25519', bytes: new Uint8Array(64) }
    one.driver.input({ type: 'verdict', verdict: { ...verdict, signature: stranger } })
    expect(given()).toEqual([])
    one.driver.input({ type: 'verdict', verdict })
    expect(given()).toEqual([signed(manifest)])
    one.run(100)
    const told = one.driver.sent(1).flatMap((message) => (message.type === 'have' ? message.entries : []))
    expect(told.at(-1)).toMatchObject({ kind: 'run', first: 1, count: 1 })
  })
})

describe('off', () => {
  it('checks nothing and reports nothing', () => {
    const one = new Scene({ integrity: 'off' })
    one.peer(1, INVENTED)
    one.says(1, 1)
    one.manifest(1, testManifest(one.want(1), INVENTED))
    one.run()
    one.want(2, 0)
    one.answerLoad()
    expect(one.results).toHaveLength(2)
    expect(one.checks).toEqual([])
    expect(effectsOf(one.driver.effects, 'list')).toEqual([])
    expect(one.driver.engine.snapshot()).toMatchObject({ integrity: 'off', checks: 'off', checkedBytes: 0 })
  })
})
