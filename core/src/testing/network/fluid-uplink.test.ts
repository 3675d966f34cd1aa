import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../virtual-clock.js'
import { CLEAR_PATH, type PathConditions } from './conditions.js'
import { type QueuedMessage, SendBuffers } from './flow.js'
import { FluidUplink } from './fluid-uplink.js'
import type { UplinkSender } from './uplink.js'

/** One byte in a microsecond. */
const BYTES_PER_SECOND = 1_000_000

class Sender implements UplinkSender {
  readonly buffers: SendBuffers
  readonly roundTripMs = 100
  readonly outgoing: PathConditions = CLEAR_PATH
  readonly left: { readonly bytes: number; readonly at: number }[] = []

  constructor(congestionControl = false) {
    this.buffers = new SendBuffers(congestionControl)
  }

  depart({ bytes }: QueuedMessage, leftAt: number): void {
    this.left.push({ bytes, at: leftAt })
  }
}

function setUp(links: number, congestionControl = false) {
  const clock = new VirtualClock()
  const line = new FluidUplink(clock, BYTES_PER_SECOND)
  const senders = Array.from({ length: links }, () => new Sender(congestionControl))
  const send = (sender: Sender | undefined, bytes: number, channel: 'lossy' | 'control' = 'lossy'): void => {
    if (sender === undefined) throw new Error('no such link')
    sender.buffers.push({ channel, bytes, data: '' })
    line.wake(sender)
  }
  return { clock, line, senders, send }
}

describe('FluidUplink', () => {
  it('shares the line among the links that have something to send', () => {
    const { clock, senders, send } = setUp(3)
    const [a, b, c] = senders
    send(a, 60_000)
    send(b, 60_000)
    clock.advance(60)
    send(c, 20_000)
    clock.advance(1000)
    // Each has sent 30,000 bytes when the third begins; that one ends first, and leaves them half each.
    expect(c?.left[0]?.at).toBeCloseTo(120, 3)
    expect(a?.left[0]?.at).toBeCloseTo(140, 3)
    expect(b?.left[0]?.at).toBeCloseTo(140, 3)
  })

  it('loses no time between messages, whatever their sizes', () => {
    const { clock, senders, send } = setUp(4)
    let bytes = 0
    for (const [index, sender] of senders.entries()) {
      for (let message = 1; message <= 5; message++) {
        const size = 2_000 * message + 700 * index
        bytes += size
        send(sender, size)
      }
    }
    clock.advance(1000)
    const ends = senders.flatMap(({ left }) => left.map(({ at }) => at))
    expect(ends).toHaveLength(20)
    expect(Math.max(...ends)).toBeCloseTo((bytes * 1000) / BYTES_PER_SECOND, 3)
  })

  it('lets a packet of another link overtake, and charges the line for it', () => {
    const { clock, senders, send } = setUp(2)
    const [a, b] = senders
    send(a, 50_000)
    clock.advance(10)
    send(b, 1_000)
    expect(b?.left[0]?.at).toBeCloseTo(12, 3)
    clock.advance(1000)
    expect(a?.left[0]?.at).toBeCloseTo(51, 3)
  })

  it('keeps the order of a channel, and lets control pass a lossy message', () => {
    const { clock, senders, send } = setUp(1)
    const [a] = senders
    send(a, 50_000)
    send(a, 100)
    send(a, 200, 'control')
    clock.advance(1000)
    expect(a?.left.map(({ bytes }) => bytes)).toEqual([200, 50_000, 100])
  })

  it('tells how much of a message has left', () => {
    const { clock, line, senders, send } = setUp(2)
    const [a, b] = senders
    send(a, 50_000)
    send(b, 50_000)
    clock.advance(40)
    if (a !== undefined) expect(line.sentOf(a)).toBeCloseTo(20_000, 3)
  })

  it('makes a message larger than the congestion window take round trips', () => {
    const { clock, senders, send } = setUp(1, true)
    const [a] = senders
    send(a, 34_500)
    clock.advance(2000)
    // Three windows of ten packets: slow start sends them within the second round trip.
    expect(a?.left[0]?.at).toBeGreaterThanOrEqual(100)
    expect(a?.left[0]?.at).toBeLessThan(200)
  })

  it('goes on for the others where a link closes in the middle', () => {
    const { clock, senders, send } = setUp(2)
    const [a, b] = senders
    send(a, 50_000)
    send(b, 50_000)
    clock.advance(10)
    a?.buffers.clear()
    clock.advance(1000)
    expect(a?.left).toEqual([])
    expect(b?.left).toHaveLength(1)
  })
})
