import {
  decodeMessage,
  encodeMessage,
  type GoodbyeReason,
  MIN_PIECE_BYTES,
  millis,
  type PeerMessage,
  swarmIdFromBytes,
} from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
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
import type { Effect } from './io.js'

const ID = testSegmentId()
const BYTES = testBytes(2 * MIN_PIECE_BYTES)
const { tag } = TEST_SWARM

function closings(effects: readonly Effect[]): { link: number; reason: GoodbyeReason }[] {
  return effectsOf(effects, 'close-link').map(({ link, reason }) => ({ link, reason }))
}

function typesTo(driver: EngineDriver, link: number, effects: readonly Effect[]): string[] {
  return driver.sent(link, effects).map(({ type }) => type)
}

function have(serial: number, entries: readonly ReturnType<typeof runEntry>[]): PeerMessage {
  return { type: 'have', swarmTag: tag, serial, summary: false, backlogMs: 0, entries }
}

describe('Engine: Hello', () => {
  it('says Hello first, and what it holds once the other side has said Hello', () => {
    const driver = new EngineDriver({ role: 'seeder', uploads: false })
    const opened = driver.input({ type: 'link-open', link: 1, initiator: true })
    expect(driver.sent(1, opened)).toEqual([
      { ...driver.helloOf(testPeerId('me'), 'seeder', false), swarmId: TEST_SWARM.bytes },
    ])
    const greeted = driver.receive(1, driver.helloOf(testPeerId('other')))
    expect(driver.sent(1, greeted)).toMatchObject([{ type: 'have', summary: true, entries: [] }])
    expect(driver.engine.snapshot().links).toMatchObject([{ peerId: testPeerId('other'), role: 'viewer' }])
  })

  it('drops who says something else first on control, and forgives it on the lossy channel', () => {
    const driver = new EngineDriver()
    for (const link of [1, 2]) driver.input({ type: 'link-open', link, initiator: true })
    expect(closings(driver.receive(1, have(0, []), 'lossy'))).toEqual([])
    expect(closings(driver.receive(2, have(0, []), 'control'))).toEqual([{ link: 2, reason: 'violation' }])
    driver.receive(1, driver.helloOf(testPeerId('late')))
    expect(driver.links).toBe(1)
  })

  it('drops who is silent for ten seconds', () => {
    const driver = new EngineDriver()
    driver.input({ type: 'link-open', link: 1, initiator: true })
    expect(closings(driver.advance(9_999))).toEqual([])
    expect(closings(driver.advance(1))).toEqual([{ link: 1, reason: 'violation' }])
  })

  it('drops who names another swarm with the same tag, and who says Hello twice', () => {
    const bytes = TEST_SWARM.bytes.slice()
    bytes[31] = 0
    const other = swarmIdFromBytes(bytes)
    expect(other.tag).toBe(tag)
    const driver = new EngineDriver()
    driver.input({ type: 'link-open', link: 1, initiator: true })
    const hello: PeerMessage = { ...driver.helloOf(testPeerId('x')), swarmId: other.bytes } as PeerMessage
    expect(closings(driver.receive(1, hello))).toEqual([{ link: 1, reason: 'violation' }])
    driver.connect(2)
    expect(closings(driver.receive(2, driver.helloOf(testPeerId('peer-2'))))).toHaveLength(1)
  })

  it('drops itself, and whoever comes when it is full', () => {
    const driver = new EngineDriver({ maxLinks: 2 })
    expect(closings(driver.connect(1, { peerId: testPeerId('me') }))).toEqual([
      { link: 1, reason: 'duplicate-connection' },
    ])
    for (const link of [2, 3]) expect(closings(driver.connect(link))).toEqual([])
    expect(closings(driver.connect(4))).toEqual([{ link: 4, reason: 'full' }])
    driver.input({ type: 'link-closed', link: 2 })
    expect(closings(driver.connect(5))).toEqual([])
  })

  it('says Goodbye before it closes, and to all when it leaves', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    driver.connect(2)
    const effects = driver.engine.close(millis(driver.now))
    expect(effects.map(({ type }) => type)).toEqual(['send', 'close-link', 'send', 'close-link'])
    expect(driver.sent(2, effects)).toEqual([{ type: 'goodbye', swarmTag: tag, reason: 'leaving' }])
    expect(driver.links).toBe(0)
  })

  it('forgets a peer that says Goodbye, and hears no more of it', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    const effects = driver.receive(1, { type: 'goodbye', swarmTag: tag, reason: 'leaving' })
    expect(closings(effects)).toHaveLength(1)
    expect(driver.sent(1, effects)).toEqual([])
    expect(driver.receive(1, have(3, [runEntry(1)]))).toEqual([])
    expect(driver.links).toBe(0)
  })
})

describe('Engine: two connections to one peer', () => {
  /** Both ends of some connections; messages wait until they are delivered in an order of choice. */
  function twoEnds(
    leftName: string,
    rightName: string,
    offerers: readonly ('left' | 'right')[],
    order: () => number,
  ) {
    const ends = {
      left: new EngineDriver({ peerId: testPeerId(leftName) }),
      right: new EngineDriver({ peerId: testPeerId(rightName) }),
    }
    const open = { left: new Set<number>(), right: new Set<number>() }
    /** Each connection and direction is a queue: control is ordered, two connections are not. */
    const queues = new Map<string, { to: 'left' | 'right'; link: number; messages: Effect[] }>()
    const carry = (from: 'left' | 'right', effects: readonly Effect[]): void => {
      const to = from === 'left' ? 'right' : 'left'
      for (const effect of effects) {
        if (effect.type === 'close-link') open[from].delete(effect.link)
        if (effect.type !== 'send' || effect.channel !== 'control') continue
        const key = `${from} ${effect.link}`
        const queue = queues.get(key) ?? { to, link: effect.link, messages: [] }
        queues.set(key, queue)
        queue.messages.push(effect)
      }
    }
    for (const [index, offerer] of offerers.entries()) {
      for (const side of ['left', 'right'] as const) {
        open[side].add(index + 1)
        carry(side, ends[side].input({ type: 'link-open', link: index + 1, initiator: side === offerer }))
      }
    }
    for (;;) {
      const waiting = [...queues.values()].filter(({ messages }) => messages.length > 0)
      const queue = waiting[order() % Math.max(1, waiting.length)]
      const message = queue?.messages.shift()
      if (queue === undefined || message?.type !== 'send') break
      const { channel, bytes, link } = message
      carry(queue.to, ends[queue.to].input({ type: 'message', link, channel, bytes }))
    }
    return { ...open, ends }
  }

  it('leaves exactly one, the same at both ends, whoever offered and in whatever order Hellos come', () => {
    const offerer = fc.constantFrom('left' as const, 'right' as const)
    fc.assert(
      fc.property(
        fc.array(offerer, { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat(11)),
        (offerers, leftIsSmaller, order) => {
          const names = leftIsSmaller ? (['a', 'b'] as const) : (['b', 'a'] as const)
          const { left, right, ends } = twoEnds(names[0], names[1], offerers, () => order.next().value ?? 0)
          expect([...left]).toEqual([...right])
          expect(left.size).toBe(1)
          expect(ends.left.links).toBe(1)
          expect(ends.right.links).toBe(1)
          const [kept] = left
          const smaller = leftIsSmaller ? 'left' : 'right'
          if (offerers.includes(smaller)) expect(offerers[(kept ?? 0) - 1]).toBe(smaller)
        },
      ),
    )
  })
})

describe('Engine: what the host publishes', () => {
  function neighbour(options = {}): EngineDriver {
    const driver = new EngineDriver({ role: 'seeder', ...options })
    driver.connect(1)
    return driver
  }

  /** Haves to link 1 after the batch time. */
  function told(driver: EngineDriver): PeerMessage[] {
    return driver.sent(1, driver.advance(40)).filter(({ type }) => type === 'have')
  }

  it('announces it, hands out its manifest, and serves it', () => {
    const driver = neighbour()
    const manifest = testManifest(ID, BYTES)
    driver.input({ type: 'publish', manifest, bytes: BYTES })
    expect(told(driver)).toMatchObject([{ entries: [runEntry(1)] }])
    const answer = driver.receive(1, { type: 'manifest-request', swarmTag: tag, segment: ID })
    expect(driver.sent(1, answer)).toEqual([{ type: 'manifest', swarmTag: tag, manifest }])
    const chunks = [{ start: 0, end: 2 }]
    const served = driver.receive(1, {
      type: 'request',
      swarmTag: tag,
      requestId: 9,
      segment: ID,
      piece: 1,
      deadlineMs: 500,
      chunks,
    })
    const payloads = driver
      .sent(1, served)
      .flatMap((message) => (message.type === 'data' ? [message.payload] : []))
    expect(
      payloads.map((payload, index) =>
        sameBytes(
          payload,
          BYTES.subarray(MIN_PIECE_BYTES + index * 1_136, MIN_PIECE_BYTES + (index + 1) * 1_136),
        ),
      ),
    ).toEqual([true, true])
  })

  it('serves nothing with uploads off', () => {
    const driver = neighbour({ uploads: false })
    driver.input({ type: 'publish', manifest: testManifest(ID, BYTES), bytes: BYTES })
    driver.advance(40)
    const chunks = [{ start: 0, end: 2 }]
    const request = {
      type: 'request',
      swarmTag: tag,
      requestId: 9,
      segment: ID,
      piece: 1,
      deadlineMs: 500,
      chunks,
    } as const
    // Only how things stand.
    expect(typesTo(driver, 1, driver.receive(1, request))).toEqual(['have'])
    expect(
      typesTo(driver, 1, driver.receive(1, { type: 'manifest-request', swarmTag: tag, segment: ID })),
    ).toEqual([])
  })

  it('takes back a fetch that it announced and gave up', () => {
    const driver = neighbour()
    driver.input({ type: 'announce-fetching', segment: ID })
    expect(told(driver)).toMatchObject([{ entries: [{ kind: 'segment', fetching: true }] }])
    driver.input({ type: 'drop', segment: ID })
    expect(told(driver)).toMatchObject([{ entries: [{ kind: 'dropped', first: 1 }] }])
  })

  it('keeps no segment for a fetch that was announced and given up', () => {
    const driver = neighbour({ memoryBytes: 1 })
    for (let sequence = 1; sequence <= 50; sequence++) {
      driver.input({ type: 'announce-fetching', segment: testSegmentId(sequence) })
      driver.input({ type: 'drop', segment: testSegmentId(sequence) })
    }
    driver.advance(10_000, 1_000)
    const last = driver
      .sent(1)
      .filter(({ type }) => type === 'have')
      .at(-1)
    expect(last).toMatchObject({ summary: true, entries: [] })
  })

  it('does not call complete segments unfinished again', () => {
    const driver = neighbour({ memoryBytes: 1 })
    driver.input({ type: 'publish', manifest: testManifest(ID, BYTES), bytes: BYTES })
    driver.input({ type: 'announce-fetching', segment: ID })
    driver.input({ type: 'tick' })
    expect(driver.engine.snapshot().cachedSegments).toBe(0)
  })

  it('tells what it dropped for want of memory', () => {
    const driver = neighbour({ memoryBytes: BYTES.byteLength })
    for (const sequence of [1, 2]) {
      const id = testSegmentId(sequence)
      driver.input({ type: 'publish', manifest: testManifest(id, BYTES), bytes: BYTES.slice() })
      driver.advance(40)
    }
    const entries = driver.sent(1).flatMap((message) => (message.type === 'have' ? message.entries : []))
    expect(entries).toEqual([runEntry(1), { ...runEntry(1), kind: 'dropped' }, runEntry(2)])
  })
})

describe('Engine: time', () => {
  it('asks to be woken while it has peers or wants, and not otherwise', () => {
    const driver = new EngineDriver()
    expect(effectsOf(driver.input({ type: 'tick' }), 'wake-at')).toEqual([])
    driver.connect(1)
    const [wake] = effectsOf(driver.input({ type: 'tick' }), 'wake-at')
    expect(wake?.at).toBeGreaterThan(driver.now)
    driver.want(1, wantedOf(ID, { deadline: millis(driver.now + 60_000) }))
    const [sooner] = effectsOf(driver.input({ type: 'tick' }), 'wake-at')
    expect(sooner?.at).toBeLessThanOrEqual(driver.now + 50)
  })

  it('repeats a run with the same seed and inputs exactly', () => {
    const run = (): readonly Effect[] => {
      const driver = new EngineDriver({ seed: 5 })
      for (const link of [1, 2, 3]) {
        driver.connect(link)
        driver.receive(link, have(1, [runEntry(1)]))
      }
      driver.want(1, wantedOf(ID, { deadline: millis(driver.now + 60_000) }))
      driver.receive(1, { type: 'manifest', swarmTag: tag, manifest: testManifest(ID, testBytes(300_000)) })
      driver.advance(3_000)
      return driver.effects
    }
    expect(run()).toEqual(run())
  })

  it('sends nothing that the other side could not read', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    for (const effect of effectsOf(driver.advance(20_000), 'send')) {
      const message = decodeMessage(effect.bytes, effect.channel)
      expect(sameBytes(encodeMessage(message), effect.bytes)).toBe(true)
    }
  })
})
