import type { ChannelKind } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { LOSSY_BUFFER_HIGH_BYTES, type PeerLinkEvents } from '../../ports/link.js'
import { createMemoryLinkPair } from '../link-pair.js'
import { VirtualClock } from '../virtual-clock.js'
import type { HostOptions } from './conditions.js'
import { MemoryNetwork, type MemoryNetworkOptions } from './memory-network.js'

class Recorder implements PeerLinkEvents {
  readonly log: string[] = []
  readonly received: { at: number; channel: ChannelKind; bytes: Uint8Array }[] = []
  drains = 0
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }
  onSignal(): void {}
  onOpen(): void {
    this.log.push(`open@${this.#clock.now()}`)
  }
  onMessage(channel: ChannelKind, bytes: Uint8Array): void {
    this.received.push({ at: this.#clock.now(), channel, bytes })
  }
  onDrain(): void {
    this.drains++
  }
  onClose(reason: string): void {
    this.log.push(`${reason}@${this.#clock.now()}`)
  }
}

function setUp(options: Partial<MemoryNetworkOptions> = {}, a: HostOptions = {}, b: HostOptions = {}) {
  const clock = new VirtualClock()
  const network = new MemoryNetwork({ clock, ...options })
  const hosts = [network.createHost(a), network.createHost(b)] as const
  const left = new Recorder(clock)
  const right = new Recorder(clock)
  const { offerer, answerer } = createMemoryLinkPair(hosts[0], left, hosts[1], right)
  return { clock, network, hosts, left, right, offerer, answerer }
}

const message = (size: number, fill = 0) => new Uint8Array(size).fill(fill)

/** Keeps the sender's buffer full for `ms` and gives the goodput in bytes per second. */
function goodput(world: ReturnType<typeof setUp>, ms: number): number {
  const { clock, offerer, right } = world
  clock.runUntil(() => offerer.isOpen, 1000)
  const start = clock.now()
  const before = right.received.length
  while (clock.now() < start + ms) {
    while (offerer.send('lossy', message(1150)) === 'sent') {
      // until full
    }
    clock.advance(5)
  }
  return ((right.received.length - before) * 1150 * 1000) / ms
}

describe('MemoryNetwork', () => {
  it('opens after the handshake and delivers after the delay', () => {
    const { clock, left, right, offerer } = setUp({ path: { delayMs: 20 } })
    clock.advance(500)
    expect(left.log).toEqual(['open@160'])
    expect(right.log).toEqual(['open@160'])
    expect(offerer.send('lossy', message(100, 7))).toBe('sent')
    clock.advance(19)
    expect(right.received).toHaveLength(0)
    clock.advance(1)
    expect(right.received).toEqual([{ at: 520, channel: 'lossy', bytes: message(100, 7) }])
  })

  it('serialises at the path rate, says full at the bound and drains', () => {
    const { clock, left, right, offerer } = setUp({
      path: { bytesPerSecond: 100_000 },
      congestionControl: false,
    })
    clock.advance(1)
    let sent = 0
    while (offerer.send('lossy', message(1000)) === 'sent') sent++
    // The first message is under way at once; the rest fill the buffer.
    expect(sent).toBe(Math.floor(LOSSY_BUFFER_HIGH_BYTES / 1000) + 1)
    expect(offerer.bufferedAmount('lossy')).toBe((sent - 1) * 1000)
    clock.advance(100)
    expect(right.received).toHaveLength(10)
    expect(left.drains).toBe(0)
    clock.advance(1000)
    expect(left.drains).toBe(1)
    expect(right.received).toHaveLength(sent)
    expect(offerer.bufferedAmount('lossy')).toBe(0)
  })

  it('reaches the rate of the slower line', () => {
    for (const [up, down] of [
      [250_000, 1_000_000],
      [1_000_000, 250_000],
    ] as const) {
      const world = setUp(
        { path: { delayMs: 20 } },
        { uploadBytesPerSecond: up },
        { downloadBytesPerSecond: down },
      )
      const rate = goodput(world, 10_000)
      expect(rate).toBeGreaterThan(210_000)
      expect(rate).toBeLessThan(251_000)
    }
  })

  it('shares an upload line between links', () => {
    const clock = new VirtualClock()
    const network = new MemoryNetwork({ clock, path: { delayMs: 10 } })
    const server = network.createHost({ uploadBytesPerSecond: 400_000 })
    const ends = [1, 2, 3, 4].map(() => {
      const recorder = new Recorder(clock)
      const pair = createMemoryLinkPair(server, new Recorder(clock), network.createHost(), recorder)
      return { recorder, link: pair.offerer }
    })
    clock.advance(500)
    for (let round = 0; round < 1000; round++) {
      for (const { link } of ends) {
        while (link.send('lossy', message(1150)) === 'sent') {
          // until full
        }
      }
      clock.advance(10)
    }
    for (const { recorder } of ends) {
      const rate = (recorder.received.length * 1150) / 10
      expect(rate).toBeGreaterThan(90_000)
      expect(rate).toBeLessThan(108_000)
    }
  })

  it('slows down under random loss as congestion control does', () => {
    // Mathis et al.: 1150 / 0.04 * sqrt(1.5 / 0.01) = 352 kB/s.
    const rate = goodput(setUp({ path: { delayMs: 20, loss: 0.01 } }), 60_000)
    expect(rate).toBeGreaterThan(250_000)
    expect(rate).toBeLessThan(450_000)
  })

  it('loses on the lossy channel alone and keeps the order of control', () => {
    const { clock, right, offerer, hosts } = setUp({ path: { delayMs: 10, jitterMs: 30, loss: 0.2 } })
    clock.advance(500)
    for (let index = 0; index < 200; index++) {
      offerer.send('control', message(20, index))
      offerer.send('lossy', message(20, index))
      clock.advance(5)
    }
    clock.advance(2000)
    const of = (channel: ChannelKind) =>
      right.received.filter((entry) => entry.channel === channel).map((entry) => entry.bytes[0])
    expect(of('control')).toEqual(Array.from({ length: 200 }, (_, index) => index))
    expect(of('lossy').length).toBeGreaterThan(130)
    expect(of('lossy').length).toBeLessThan(190)
    expect(of('lossy')).not.toEqual([...of('lossy')].sort((a = 0, b = 0) => a - b))
    expect(hosts[0].stats.lostMessages).toBe(200 - of('lossy').length)
  })

  it('is silent about a killed host until ICE notices', () => {
    const { clock, left, right, offerer, hosts } = setUp({ path: { delayMs: 5 } })
    clock.advance(1000)
    hosts[1].kill()
    expect(offerer.send('lossy', message(10))).toBe('sent')
    clock.advance(14_999)
    expect(left.log).toEqual(['open@40'])
    clock.advance(1)
    expect(left.log).toEqual(['open@40', 'remote@16000'])
    expect(right.log).toEqual(['open@40'])
    expect(right.received).toHaveLength(0)
  })

  it('survives a short cut: control arrives afterwards, lossy is gone', () => {
    const { clock, network, left, right, offerer, hosts } = setUp({ path: { delayMs: 5 } })
    clock.advance(1000)
    network.setPaths(hosts[0], hosts[1], { cut: true })
    offerer.send('control', message(10, 1))
    offerer.send('lossy', message(10, 2))
    clock.advance(5000)
    expect(right.received).toHaveLength(0)
    network.setPaths(hosts[0], hosts[1], { cut: false })
    clock.advance(60_000)
    expect(right.received.map((entry) => entry.channel)).toEqual(['control'])
    expect(left.log).toEqual(['open@40'])
  })

  it('ends both sides of a lasting cut, one direction being enough', () => {
    const { clock, network, left, right, hosts } = setUp()
    clock.advance(1000)
    network.setPath(hosts[0], hosts[1], { cut: true })
    clock.advance(20_000)
    expect(left.log).toEqual(['open@0', 'remote@16000'])
    expect(right.log).toEqual(['open@0', 'remote@16000'])
    expect(network.linkCount).toBe(0)
  })

  it('never opens across a cut', () => {
    const { clock, left, right } = setUp({ path: { cut: true } })
    clock.advance(30_000)
    expect(left.log).toEqual(['connect-failed@20000'])
    expect(right.log).toEqual(['connect-failed@20000'])
  })

  it('repeats itself', () => {
    const run = () => {
      const world = setUp(
        { path: { delayMs: 15, jitterMs: 10, loss: 0.05 } },
        { uploadBytesPerSecond: 300_000 },
      )
      goodput(world, 2000)
      return world.right.received.map((entry) => entry.at)
    }
    expect(run()).toEqual(run())
  })

  it('lets what an owner throws come out of advance, unless onError takes it', () => {
    const broken = (network: MemoryNetwork, clock: VirtualClock) => {
      const throwing = new Recorder(clock)
      throwing.onOpen = () => {
        throw new Error('owner')
      }
      createMemoryLinkPair(network.createHost(), throwing, network.createHost(), new Recorder(clock))
    }
    const clock = new VirtualClock()
    broken(new MemoryNetwork({ clock }), clock)
    expect(() => clock.advance(10)).toThrow('owner')
    const errors: unknown[] = []
    broken(new MemoryNetwork({ clock, onError: (error) => errors.push(error) }), clock)
    clock.advance(10)
    expect(errors).toHaveLength(1)
  })
})
