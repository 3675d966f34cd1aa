import { type ByteSpan, millis } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OriginError } from '../ports/origin.js'
import { sameBytes } from '../testing/engine-fixtures.js'
import { MemoryOrigin, type OriginFault } from '../testing/memory-origin.js'
import { MemoryWorld, type Outcome, type WorldPeer } from '../testing/memory-world.js'

const SIZE = 500_000
const SEQUENCE = 4
/** Uplink of a peer that has not sent a segment before the deadline comes near, in bytes per second. */
const SLOW_UPLINK = 60_000

const FORBIDDEN: OriginError = { kind: 'http-status', status: 403, message: 'token expired' }
const NO_MEDIA: OriginError = { kind: 'bad-response', status: 200, message: 'text in place of media' }
const RESET: OriginFault = { stopAfter: 200_000, ending: 'reset' }

let world: MemoryWorld
/** What those who look at an origin of their own see. */
let origin: MemoryOrigin

beforeEach(() => {
  world = new MemoryWorld({ origin: { segmentBytes: SIZE } })
  origin = new MemoryOrigin({ clock: world.clock, segmentBytes: SIZE })
})

interface Wanting {
  readonly sequence?: number
  readonly timeLeftMs?: number
  readonly live?: boolean
}

/** Lets `peer` want a segment of the origin at fault. */
function want(peer: WorldPeer, { sequence = SEQUENCE, timeLeftMs = 0, live = false }: Wanting = {}) {
  const segment = world.segment(sequence)
  const deadline = millis(world.clock.now() + timeLeftMs)
  let cancel = (): void => undefined
  const outcome = new Promise<Outcome>((resolve) => {
    const fetch = peer.swarm.fetch(
      { segment, range: null, deadline, duration: millis(4_000), live },
      origin.fetcher(segment),
      {
        onProgress: () => undefined,
        onDone: (result) => resolve({ type: 'done', result }),
        onError: (error) => resolve({ type: 'error', error }),
      },
    )
    cancel = fetch.cancel
  })
  return { outcome, cancel }
}

async function get(peer: WorldPeer, wanting: Wanting = {}, limitMs = 30_000): Promise<Outcome> {
  const outcome = await world.settle(want(peer, wanting).outcome, limitMs)
  if (outcome.type === 'done') {
    const right = origin.content(world.segment(wanting.sequence ?? SEQUENCE))
    expect(sameBytes(outcome.result.bytes, right)).toBe(true)
  }
  return outcome
}

/** A peer that holds segments, from an origin without faults. */
async function holder(uploadBytesPerSecond = 10_000_000, sequences = [SEQUENCE]): Promise<WorldPeer> {
  const peer = world.join({}, { uploadBytesPerSecond })
  for (const sequence of sequences) await world.settle(world.want(peer, sequence, 0))
  return peer
}

async function joined(options = {}): Promise<WorldPeer> {
  const peer = world.join(options)
  await world.clock.advanceAsync(2_500)
  return peer
}

const links = (peer: WorldPeer) => peer.swarm.snapshot().links.length
const spans = (...list: (ByteSpan | null)[]) => list

describe('a connection that breaks in the middle of a body', () => {
  it('is continued where it broke', async () => {
    origin.misbehave = ({ before }) => (before === 0 ? RESET : null)
    const outcome = await get(world.join())
    expect(outcome.type).toBe('done')
    expect(origin.asked).toEqual(spans(null, { start: 200_000, end: SIZE }))
    expect(origin.bytesServed).toBe(SIZE)
  })

  it('is continued from within a piece where the manifest is a peer’s', async () => {
    await holder(SLOW_UPLINK)
    const peer = await joined()
    origin.misbehave = ({ before }) => (before === 0 ? { stopAfter: 50_001, ending: 'reset' } : null)
    expect((await get(peer, { timeLeftMs: 3_500 })).type).toBe('done')
    const [first, second] = origin.asked
    const { start, end } = first ?? { start: 0, end: SIZE }
    expect(second).toEqual({ start: start + 50_001, end })
    // Other pieces that the slow peer does not bring in time may come by HTTP as well; nothing comes twice.
    const asked = new Set<number>()
    for (const span of origin.asked) {
      for (let at = span?.start ?? 0; at < (span?.end ?? SIZE); at++) asked.add(at)
    }
    expect(origin.bytesServed).toBe(asked.size)
  })

  it('is continued by the player’s next try, also after it gave up', async () => {
    const peer = world.join()
    origin.misbehave = ({ before }) => (before === 0 ? { stopAfter: 200_000, ending: 'silence' } : null)
    const first = want(peer)
    await world.clock.advanceAsync(5_000)
    first.cancel()
    expect((await get(peer)).type).toBe('done')
    expect(origin.asked).toEqual(spans(null, { start: 200_000, end: SIZE }))
    expect(origin.bytesServed).toBe(SIZE)
  })

  it('begins anew where the origin has no ranges, and knows it the next time', async () => {
    origin.ignoreRange = true
    origin.misbehave = ({ before }) => (before === 0 ? RESET : null)
    const peer = world.join()
    expect((await get(peer)).type).toBe('done')
    expect((await get(peer, { sequence: 5 })).type).toBe('done')
    expect(origin.asked).toEqual(spans(null, { start: 200_000, end: SIZE }, null, null))
  })

  it('is not continued with a part of another resource', async () => {
    const other = new Uint8Array(SIZE + 1_000).fill(9)
    origin.misbehave = ({ before }) => (before === 0 ? RESET : before === 1 ? { content: other } : null)
    expect((await get(world.join())).type).toBe('done')
    expect(origin.asked.at(-1)).toBeNull()
  })

  it('fails in the end, in bounded requests and time', async () => {
    for (const stopAfter of [0, 1_000]) {
      origin.asked.length = 0
      origin.misbehave = () => ({ stopAfter, ending: 'reset' })
      expect(await get(world.join(), {}, 15_000)).toMatchObject({ type: 'error', error: { kind: 'network' } })
      expect(origin.asked.length).toBeLessThan(10)
    }
  })

  it('is delivered where only the end was missing', async () => {
    origin.misbehave = () => ({ stopAfter: SIZE, ending: 'reset' })
    expect((await get(world.join())).type).toBe('done')
    expect(origin.asked).toEqual(spans(null))
  })
})

describe('a body that goes silent', () => {
  it.each([0, 100_000])(
    'after %i bytes gives way to peers, who are asked for the rest only',
    async (stopAfter) => {
      await holder()
      const peer = await joined()
      origin.misbehave = () => ({ stopAfter, ending: 'silence' })
      const outcome = await get(peer, {}, 12_000)
      expect(outcome.type).toBe('done')
      const { sources } = (outcome as Extract<Outcome, { type: 'done' }>).result
      // The piece that was cut is completed by a peer.
      expect(sources.http).toBeGreaterThan(stopAfter - 16 * 1024 - 1)
      expect(sources.http + sources.peers).toBe(SIZE)
    },
  )
})

describe('an origin without ranges', () => {
  it('is asked for all where a part is missing, and what peers brought stays', async () => {
    await holder(SLOW_UPLINK, [SEQUENCE])
    const peer = await joined()
    origin.ignoreRange = true
    origin.misbehave = ({ before, id }) => (before === 0 && id.sequence === 9 ? RESET : null)
    await get(peer, { sequence: 9 })
    expect(origin.asked.splice(0)).toEqual(spans(null, { start: 200_000, end: SIZE }))
    const outcome = await get(peer, { timeLeftMs: 4_000 })
    expect(origin.asked).toEqual(spans(null))
    const { sources } = (outcome as Extract<Outcome, { type: 'done' }>).result
    expect(sources.peers).toBeGreaterThan(0)
    expect(sources.http + sources.peers).toBe(SIZE)
  })
})

describe('an origin that lies about length', () => {
  it.each([
    ['too short', { total: SIZE - 1_000 }, 1],
    ['absent', { total: null }, 1],
    ['too long, and the end is doubtful', { total: SIZE + 1_000, doubtful: true }, 0],
  ])('%s: the player gets what came; peers what is certain', async (_, fault, shared) => {
    origin.misbehave = () => fault
    const peer = world.join()
    expect((await get(peer)).type).toBe('done')
    expect((await get(peer, { sequence: 5 })).type).toBe('done')
    await world.clock.advanceAsync(100)
    expect(peer.swarm.snapshot().cachedSegments).toBe(shared * 2)
    expect(origin.asked).toEqual(spans(null, null))
  })

  it.each<[string, OriginFault]>([
    ['another size', { total: SIZE + 7 }],
    ['another part', { span: { start: 0, end: 100_000 } }],
    ['a later part', { span: { start: SIZE - 10, end: SIZE } }],
    ['other bytes in place of the part', { content: new Uint8Array(SIZE).fill(5) }],
    ['416', { error: { kind: 'http-status', status: 416, message: 'no' } }],
    ['an unusable part', { error: { kind: 'bad-response', status: 206, message: 'no' } }],
  ])('answers Range with %s: all of it comes, once, and no peer is blamed', async (_, fault) => {
    await holder(SLOW_UPLINK, [SEQUENCE, 5, 6])
    const peer = await joined()
    // The first load falls silent, the peer is too slow, and what is missing then is a part.
    origin.misbehave = ({ span, before }) => {
      if (before === 0) return { stopAfter: 100_000, ending: 'silence' }
      return span === null ? null : fault
    }
    for (const sequence of [SEQUENCE, 5, 6]) {
      expect((await get(peer, { sequence })).type).toBe('done')
    }
    expect(origin.asked.filter((span) => span !== null)).toHaveLength(1)
    expect(origin.asked).toHaveLength(7)
    expect(links(peer)).toBe(1)
  })
})

describe('an origin that refuses', () => {
  it('does not fail a segment that a peer holds', async () => {
    await holder()
    const peer = await joined()
    for (const error of [FORBIDDEN, { ...FORBIDDEN, status: 410 }, { ...FORBIDDEN, status: 503 }, NO_MEDIA]) {
      origin.misbehave = () => ({ error })
      const fresh = world.join()
      await world.clock.advanceAsync(2_500)
      const outcome = await get(fresh)
      expect(outcome).toMatchObject({ type: 'done', result: { sources: { http: 0 } } })
      fresh.swarm.close()
    }
    peer.swarm.close()
  })

  it('does not fail a live segment that others are about to have', async () => {
    const other = await holder(10_000_000, [1])
    const peer = await joined()
    origin.misbehave = () => ({ error: FORBIDDEN })
    const { outcome } = want(peer, { sequence: 9, timeLeftMs: 8_000, live: true })
    await world.clock.advanceAsync(2_000)
    const theirs = world.want(other, 9, 0, true)
    expect((await world.settle(outcome, 8_000)).type).toBe('done')
    expect((await world.settle(theirs)).type).toBe('done')
  })

  it('is heard by the player where no peer has the segment', async () => {
    await holder(10_000_000, [1])
    const peer = await joined()
    origin.misbehave = () => ({ error: FORBIDDEN })
    const onDemand = await get(peer, { sequence: 9 }, 2_000)
    expect(onDemand).toEqual({ type: 'error', error: FORBIDDEN })
    const live = await get(peer, { sequence: 10, timeLeftMs: 8_000, live: true }, 7_000)
    expect(live).toEqual({ type: 'error', error: FORBIDDEN })
  })

  it('is heard where a peer says that it has the segment and does not deliver', async () => {
    await holder(1)
    const peer = await joined()
    origin.misbehave = () => ({ error: FORBIDDEN })
    expect(await get(peer, {}, 25_000)).toEqual({ type: 'error', error: FORBIDDEN })
  })

  it('gives another URL a chance: the next try goes on with what is here', async () => {
    const peer = world.join()
    origin.misbehave = ({ before }) => (before === 0 ? RESET : before === 1 ? { error: FORBIDDEN } : null)
    expect(await get(peer)).toEqual({ type: 'error', error: FORBIDDEN })
    expect((await get(peer)).type).toBe('done')
    expect(origin.asked.at(-1)).toEqual({ start: 200_000, end: SIZE })
    expect(origin.bytesServed).toBe(SIZE)
  })

  it('is left alone for as long as it says while peers deliver, and no longer than the deadline', async () => {
    await holder(SLOW_UPLINK)
    const peer = await joined()
    const error = { ...FORBIDDEN, status: 429, retryAfterMs: 60_000 }
    origin.misbehave = ({ before }) => (before === 0 ? { error } : null)
    const started = world.clock.now()
    const times: number[] = []
    const { fetcher } = origin
    origin.fetcher = (id) => {
      const inner = fetcher.call(origin, id)
      return {
        fetch: (span, events) => {
          times.push(world.clock.now() - started)
          return inner.fetch(span, events)
        },
      }
    }
    expect((await get(peer, { timeLeftMs: 7_000 })).type).toBe('done')
    expect(times).toHaveLength(2)
    const [refused = 0, again = 0] = times
    expect(again - refused).toBeGreaterThan(1_000)
    expect(again).toBeLessThan(8_000)
  })
})
