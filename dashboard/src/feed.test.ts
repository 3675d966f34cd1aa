import type { FeedFrame } from '@shoal/protocol'
import { pack } from 'msgpackr'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  type Feed,
  type FeedState,
  FIRST_RETRY_MS,
  LONGEST_RETRY_MS,
  openFeed,
  retryDelay,
  SILENCE_MS,
  type SocketListener,
} from './feed.js'
import { sampleAt, statsFrame } from './frames.testing.js'

const STATS = pack(statsFrame({}))
const HISTORY = pack({ type: 'history', samples: [sampleAt(1000)] })

/** A world of one clock and the sockets that were opened in it. */
class World {
  now = 0
  readonly sockets: { readonly listener: SocketListener; open: boolean }[] = []
  readonly states: FeedState[] = []
  readonly frames: FeedFrame[] = []
  readonly feed: Feed
  #timers: { readonly at: number; readonly action: () => void }[] = []

  constructor() {
    this.feed = openFeed(
      {
        open: (listener) => {
          const socket = { listener, open: true }
          this.sockets.push(socket)
          return {
            close: () => {
              socket.open = false
            },
          }
        },
        now: () => this.now,
        after: (delayMs, action) => {
          const timer = { at: this.now + delayMs, action }
          this.#timers.push(timer)
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer)
          }
        },
        random: () => 0.5,
      },
      { frame: (frame) => this.frames.push(frame), state: (state) => this.states.push(state) },
    )
  }

  get socket(): SocketListener {
    const last = this.sockets.at(-1)
    if (last === undefined) throw new Error('no socket was opened')
    return last.listener
  }

  get state(): FeedState | undefined {
    return this.states.at(-1)
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.now = due.at
      due.action()
    }
    this.now = end
  }
}

describe('openFeed', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  it('is live from the first numbers, not from history', () => {
    expect(world.state).toEqual({ type: 'connecting' })
    world.socket.message(HISTORY)
    expect(world.state).toEqual({ type: 'connecting' })
    world.socket.message(STATS)
    expect(world.state).toEqual({ type: 'live' })
    expect(world.frames.map(({ type }) => type)).toEqual(['history', 'stats'])
  })

  it('says that it is live once', () => {
    world.socket.message(STATS)
    world.socket.message(STATS)
    expect(world.states).toHaveLength(2)
  })

  it('stays connected for as long as numbers come', () => {
    for (let second = 0; second < 100; second += 1) {
      world.socket.message(STATS)
      world.pass(1000)
    }
    expect(world.sockets).toHaveLength(1)
    expect(world.state).toEqual({ type: 'live' })
  })

  it('tries again later and later while the tracker is away', () => {
    const pauses: number[] = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      world.socket.closed()
      const { state } = world
      if (state?.type !== 'waiting') throw new Error('not waiting')
      expect(state.problem).toBe('closed')
      pauses.push(state.retryAt - world.now)
      world.pass(state.retryAt - world.now)
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
    expect(world.sockets).toHaveLength(8)
  })

  it('tries soon again after it was live', () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      world.socket.closed()
      world.pass(LONGEST_RETRY_MS)
    }
    world.socket.message(STATS)
    world.socket.closed()
    expect(world.state).toEqual({ type: 'waiting', retryAt: world.now + FIRST_RETRY_MS, problem: 'closed' })
  })

  it('gives up a connection that says nothing, open or not', () => {
    world.pass(SILENCE_MS - 1)
    expect(world.state?.type).toBe('connecting')
    world.pass(1)
    expect(world.state).toMatchObject({ type: 'waiting', problem: 'silent' })
    expect(world.sockets[0]?.open).toBe(false)
    world.pass(FIRST_RETRY_MS)
    world.socket.message(STATS)
    world.pass(SILENCE_MS)
    expect(world.state).toMatchObject({ type: 'waiting', problem: 'silent' })
  })

  it.each([
    ['text', null],
    ['bytes that are no frame', Uint8Array.of(1, 2, 3)],
  ])('gives up a connection that sends %s', (_, bytes) => {
    world.socket.message(HISTORY)
    world.socket.message(bytes)
    expect(world.state).toMatchObject({ type: 'waiting', problem: 'unreadable' })
    expect(world.sockets[0]?.open).toBe(false)
  })

  it('backs off from a tracker whose history alone can be read', () => {
    for (let attempt = 0; attempt < 6; attempt += 1) {
      world.socket.message(HISTORY)
      world.socket.message(null)
      world.pass(LONGEST_RETRY_MS)
    }
    world.socket.message(null)
    expect(world.state).toMatchObject({ retryAt: world.now + LONGEST_RETRY_MS })
  })

  it('hears nothing from a socket that it has left', () => {
    const left = world.socket
    left.closed()
    left.message(STATS)
    left.closed()
    expect(world.frames).toEqual([])
    expect(world.states).toHaveLength(2)
    world.pass(FIRST_RETRY_MS)
    left.closed()
    expect(world.state).toEqual({ type: 'connecting' })
  })

  it('tries at once when asked, and only when waiting', () => {
    world.feed.retry()
    expect(world.sockets).toHaveLength(1)
    world.socket.closed()
    world.feed.retry()
    expect(world.sockets).toHaveLength(2)
    world.pass(FIRST_RETRY_MS)
    expect(world.sockets).toHaveLength(2)
  })

  it('rests when closed', () => {
    world.feed.close()
    expect(world.sockets[0]?.open).toBe(false)
    world.socket.closed()
    world.feed.retry()
    world.pass(60_000)
    expect(world.sockets).toHaveLength(1)
    expect(world.states).toHaveLength(1)
  })
})

describe('retryDelay', () => {
  it('varies by a quarter and stays bounded after any number of failures', () => {
    expect(retryDelay(0, 0)).toBe(750)
    expect(retryDelay(0, 1)).toBe(1250)
    expect(retryDelay(5000, 1)).toBe(LONGEST_RETRY_MS * 1.25)
  })
})
