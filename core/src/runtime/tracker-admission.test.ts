import {
  type Announce,
  DATA_HEADER_BYTES,
  MessageType,
  makePeerId,
  millis,
  swarmIdFromBytes,
} from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { TrackerSocketEvents } from '../ports/socket.js'
import { MemoryNetwork, MemoryWorld, seededRandom, toyCrypto, VirtualClock } from '../testing/index.js'
import { createSwarm } from './create-swarm.js'
import type { SwarmOptions, SwarmPorts } from './swarm-api.js'

const SECOND = 1_000
const SWARM = swarmIdFromBytes(new Uint8Array(32).fill(7))

/** A member, and a tracker whose answers the test gives. */
function member(
  options: Partial<SwarmOptions>,
  answer: (announce: Announce) => object | null,
  ports: Pick<SwarmPorts, 'playhead'> = {},
) {
  const clock = new VirtualClock(1_000)
  const random = seededRandom(5)
  const network = new MemoryNetwork({ clock, random, path: { delayMs: 20 } })
  const host = network.createHost({})
  const announces: Announce[] = []
  const sockets: TrackerSocketEvents[] = []
  const swarm = createSwarm(
    {
      swarmId: SWARM,
      peerId: makePeerId('-SH0100-', random),
      role: 'viewer',
      trackers: ['ws://tracker.test'],
      uploads: true,
      maxLinks: 4,
      memoryBytes: 1024 * 1024,
      uploadBytesPerSecond: Number.POSITIVE_INFINITY,
      integrity: 'off',
      ...options,
    },
    {
      clock,
      random,
      crypto: toyCrypto,
      links: { create: (role, events) => host.createLink(role, events) },
      openSocket: (_url, events) => {
        sockets.push(events)
        clock.setTimer(millis(1), () => events.onOpen())
        return {
          send: (text) => {
            const announce: Announce = JSON.parse(text)
            announces.push(announce)
            const message = answer(announce)
            const told = { action: 'announce', info_hash: SWARM.infoHash, ...message }
            if (message !== null) clock.setTimer(millis(1), () => events.onMessage(JSON.stringify(told)))
            return true
          },
          close: () => undefined,
        }
      },
      pieces: null,
      ...ports,
    },
  )
  return { swarm, clock, announces, drop: () => sockets.at(-1)?.onClose('test') }
}

const REPLY = { interval: 30, complete: 0, incomplete: 1 }
const refusal = (code: string) => ({ 'failure reason': 'no', code })
const letIn = (token: string) => (announce: Announce) =>
  announce.shoal.token === token ? REPLY : refusal('token-expired')

describe('a join token', () => {
  it('goes out as it is with every announce', async () => {
    const { swarm, clock, announces } = member({ token: 'abc' }, letIn('abc'))
    await clock.advanceAsync(65 * SECOND)
    expect(announces.length).toBeGreaterThanOrEqual(3)
    expect(new Set(announces.map(({ shoal }) => shoal.token))).toEqual(new Set(['abc']))
    expect(swarm.snapshot()).toMatchObject({ degraded: 'no-peers', refusal: null })
  })

  it('is asked for again when the tracker refuses it, and the swarm is joined anew', async () => {
    let asked = 0
    const token = async () => `t${++asked}`
    const { swarm, clock, announces } = member({ token }, letIn('t2'))
    await clock.advanceAsync(SECOND / 4)
    expect(announces.map(({ shoal }) => shoal.token)).toEqual(['t1'])
    expect(swarm.snapshot()).toMatchObject({ degraded: 'refused', refusal: 'token-expired' })
    await clock.advanceAsync(10 * SECOND)
    expect(announces.slice(0, 2).map(({ event, shoal }) => [event, shoal.token])).toEqual([
      ['started', 't1'],
      ['started', 't2'],
    ])
    expect(swarm.snapshot()).toMatchObject({ degraded: 'no-peers', refusal: null })
    await clock.advanceAsync(300 * SECOND)
    expect(asked).toBe(2)
  })

  it('is asked for six times more with growing pauses, and rarely after that', async () => {
    const at: number[] = []
    const token = (): string => {
      at.push(clocked.clock.now())
      return 'bad'
    }
    const clocked = member({ token }, letIn('good'))
    await clocked.clock.advanceAsync(900 * SECOND)
    expect(at).toHaveLength(7)
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    expect(pauses.at(-1)).toBeGreaterThan(10 * SECOND)
    expect(clocked.announces.length).toBeLessThan(50)
    expect(clocked.swarm.snapshot().refusal).toBe('token-expired')
    await clocked.clock.advanceAsync(2 * 3600 * SECOND)
    expect(at.length).toBeGreaterThan(8)
    expect(at.length).toBeLessThanOrEqual(7 + 9)
  })

  it.each<[string, SwarmOptions['token']]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['never answers', () => new Promise<string>(() => undefined)],
    ['gives no token', () => 7 as unknown as string],
    ['gives one that no tracker takes', () => 'x'.repeat(2049)],
  ])('is left out where the function %s', async (_what, token) => {
    const { swarm, clock, announces } = member(token === undefined ? {} : { token }, () => REPLY)
    await clock.advanceAsync(12 * SECOND)
    expect(announces.length).toBeGreaterThanOrEqual(1)
    expect(announces[0]?.shoal).not.toHaveProperty('token')
    expect(swarm.snapshot().refusal).toBeNull()
  })

  it('is not asked for after another refusal, nor after the end', async () => {
    let asked = 0
    const banned = member({ token: () => `t${++asked}` }, () => refusal('banned'))
    await banned.clock.advanceAsync(120 * SECOND)
    expect(asked).toBe(1)
    expect(banned.swarm.snapshot()).toMatchObject({ degraded: 'refused', refusal: 'banned' })
    const closed = member({ token: () => `t${++asked}` }, () => refusal('token-expired'))
    await closed.clock.advanceAsync(SECOND / 4)
    closed.swarm.close()
    await closed.clock.advanceAsync(120 * SECOND)
    expect(asked).toBe(2)
  })

  it('is asked for anew after a lost socket only where the old one is refused', async () => {
    let asked = 0
    const { clock, announces, drop } = member({ token: () => `t${++asked}` }, () => REPLY)
    await clock.advanceAsync(5 * SECOND)
    drop()
    await clock.advanceAsync(60 * SECOND)
    expect(asked).toBe(1)
    expect(announces.filter(({ event }) => event === 'started')).toHaveLength(2)
  })
})

it('says where a seeder serves by HTTP, and tells its host of those of others', async () => {
  const http = 'https://edge.example/live.m3u8'
  const extra = { v: 1, http: [http, 'ftp://edge.example/'] }
  let told: object = extra
  const { swarm, clock, announces } = member({ role: 'seeder', http }, () => ({ ...REPLY, shoal: told }))
  expect(swarm.seederUrls).toEqual([])
  await clock.advanceAsync(2 * SECOND)
  expect(announces[0]?.shoal.http).toBe(http)
  expect(swarm.seederUrls).toEqual([http])
  told = { v: 1 }
  await clock.advanceAsync(31 * SECOND)
  expect(swarm.seederUrls).toEqual([])
})

describe('accusations', () => {
  /** A viewer of segments that another peer changes on the way; what it announces after. */
  async function polluted(change: (data: Uint8Array) => Uint8Array) {
    const world = new MemoryWorld()
    const mangle = (bytes: Uint8Array) => (bytes[0] === MessageType.data ? change(bytes.slice()) : bytes)
    const polluter = world.join({}, {}, { mangle })
    for (const sequence of [1, 2]) await world.settle(world.want(polluter, sequence, 0))
    const announces: Announce[] = []
    const { openSocket } = world.tracker
    const recording: typeof openSocket = (url, events) => {
      const socket = openSocket(url, events)
      return {
        send: (text) => {
          announces.push(JSON.parse(text))
          return socket.send(text)
        },
        close: () => socket.close(),
      }
    }
    Object.assign(world.tracker, { openSocket: recording })
    const viewer = world.join()
    await world.clock.runUntilAsync(() => viewer.swarm.snapshot().links.length > 0, 20 * SECOND)
    const [link] = viewer.swarm.snapshot().links
    for (const sequence of [1, 2]) await world.settle(world.want(viewer, sequence, 8 * SECOND))
    expect(viewer.swarm.snapshot().links).toEqual([])
    await world.clock.advanceAsync(120 * SECOND)
    return { accused: announces.flatMap(({ shoal }) => shoal?.accuse ?? []), polluter: link?.peerId }
  }

  it('name a peer that is dropped for corrupt data, once', async () => {
    const { accused, polluter } = await polluted((data) => {
      data[DATA_HEADER_BYTES + 5] = (data[DATA_HEADER_BYTES + 5] ?? 0) ^ 0xff
      return data
    })
    expect(polluter).toHaveLength(20)
    expect(accused).toEqual([polluter])
  })

  it('do not name one that is dropped for breaking the protocol', async () => {
    expect((await polluted(() => new Uint8Array(40))).accused).toEqual([])
  })
})

describe('the playhead', () => {
  it('is asked for each announce, and told as trackers take it', async () => {
    const told: (number | null)[] = [null, 12.3456, -1, Number.NaN, Number.POSITIVE_INFINITY]
    let asked = 0
    const playhead = () => told[asked++ % told.length] ?? null
    const { clock, announces } = member({}, () => REPLY, { playhead })
    await clock.advanceAsync(200 * SECOND)
    expect(asked).toBe(announces.length)
    expect(announces.slice(0, 5).map(({ shoal }) => shoal.playhead)).toEqual([
      undefined,
      12.3,
      0,
      undefined,
      31_536_000,
    ])
  })

  it('is left out by members that play nothing', async () => {
    const { clock, announces } = member({ role: 'seeder' }, () => REPLY)
    await clock.advanceAsync(65 * SECOND)
    expect(announces.length).toBeGreaterThan(1)
    for (const { shoal } of announces) expect(shoal).not.toHaveProperty('playhead')
  })
})

it('tells the keys that a seeder signs with, each time', async () => {
  const keys = ['A'.repeat(43)]
  const { clock, announces } = member({ role: 'seeder', keys }, () => REPLY)
  await clock.advanceAsync(65 * SECOND)
  expect(announces.length).toBeGreaterThanOrEqual(3)
  for (const { shoal } of announces) expect(shoal.keys).toEqual(keys)
})
