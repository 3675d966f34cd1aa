import { millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import { PACKET_BYTES } from './congestion.js'
import type { Line, UplinkSender } from './uplink.js'

/** What is left of a message counts as sent, in bytes: times are rounded. */
const ROUNDING_BYTES = 0.01

/**
 * A host's upload line for messages that stand for many packets each: all links that have something to
 * send share its rate at every moment, as they would packet by packet (generalised processor sharing,
 * Parekh and Gallager 1993). There is one event for each such message, at its end, and none for messages
 * of one packet: they leave at once, and what they take of the line delays the others.
 */
export class FluidUplink implements Line {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  /** Links whose head message is being sent. */
  readonly #active: UplinkSender[] = []
  /** Links that wait for an acknowledgement. */
  readonly #blocked: UplinkSender[] = []
  /** Bytes that each link would have sent had it been active all the time. */
  #served = 0
  /** The time that `#served` is of. */
  #at = 0
  /** When single packets that found nobody active have left. */
  #freeAt = 0
  #timerAt = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | null = null

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  wake(sender: UplinkSender): void {
    const now = this.#clock.now()
    if (this.#active.length > 0) this.#progress(now)
    this.#feed(sender, now)
    if (this.#active.length > 0 || this.#blocked.length > 0) this.#arm(now)
  }

  sentOf(sender: UplinkSender): number {
    const { sending, finish } = sender.buffers
    if (sending === null) return 0
    this.#progress(this.#clock.now())
    return Math.max(0, sending.bytes - Math.max(0, finish - this.#served))
  }

  #progress(now: number): void {
    if (this.#active.length > 0) this.#served += ((now - this.#at) * this.#bytesPerMs) / this.#active.length
    this.#at = now
  }

  /** Lets all leave that can, up to a message that takes its time. */
  #feed(sender: UplinkSender, now: number): void {
    const { buffers, outgoing, roundTripMs } = sender
    for (;;) {
      const message =
        buffers.sending === null ? buffers.next(outgoing.cut) : buffers.nextControl(outgoing.cut)
      if (message === undefined) return
      if (!buffers.window.isOpen(now, roundTripMs)) {
        if (!this.#blocked.includes(sender)) this.#blocked.push(sender)
        return
      }
      const notBefore = now + buffers.window.waitOf(message.bytes) * roundTripMs
      buffers.window.sent(message.bytes)
      const single = message.bytes <= PACKET_BYTES || message.channel === 'control'
      if (!single && this.#bytesPerMs < Number.POSITIVE_INFINITY) {
        buffers.sending = message
        buffers.notBefore = notBefore
        if (this.#active.length === 0) this.#at = now
        buffers.finish = this.#served + message.bytes
        this.#active.push(sender)
        continue
      }
      buffers.take(message)
      this.#depart(sender, message, Math.max(this.#passed(message.bytes, now), notBefore))
    }
  }

  /** When a packet that overtakes the others has left; they are that much later. */
  #passed(bytes: number, now: number): number {
    const links = this.#active.length
    if (links > 0) this.#served -= bytes / links
    const own = (bytes * (links + 1)) / this.#bytesPerMs
    if (links > 0) return now + own
    this.#freeAt = Math.max(now, this.#freeAt) + own
    return this.#freeAt
  }

  #depart(sender: UplinkSender, message: Parameters<UplinkSender['depart']>[0], leftAt: number): void {
    const { buffers, outgoing } = sender
    const since = Math.max(this.#clock.now(), buffers.pathFreeAt)
    buffers.pathFreeAt = since + (message.bytes * 1000) / outgoing.bytesPerSecond
    sender.depart(message, Math.max(leftAt, buffers.pathFreeAt))
  }

  #complete(now: number): void {
    this.#progress(now)
    for (let index = 0; index < this.#active.length; ) {
      const sender = this.#active[index]
      const message = sender?.buffers.sending
      if (sender === undefined || message == null) return
      if (sender.buffers.finish - this.#served > ROUNDING_BYTES) {
        index++
        continue
      }
      this.#active.splice(index, 1)
      sender.buffers.sending = null
      // A link that closed meanwhile has forgotten it.
      if (!sender.buffers.isNext(message)) continue
      sender.buffers.take(message)
      this.#depart(sender, message, Math.max(now, sender.buffers.notBefore))
      this.#feed(sender, now)
    }
    for (const sender of this.#blocked.splice(0)) this.#feed(sender, now)
  }

  /** Sees to it that the next end of a message is noticed: a timer that is early is set anew then. */
  #arm(now: number): void {
    const links = this.#active.length
    let due = Number.POSITIVE_INFINITY
    for (const { buffers } of this.#active) {
      due = Math.min(due, now + (Math.max(0, buffers.finish - this.#served) * links) / this.#bytesPerMs)
    }
    for (const { buffers } of this.#blocked) due = Math.min(due, buffers.window.nextAcknowledgementAt)
    if (this.#timerAt <= due || due === Number.POSITIVE_INFINITY) return
    this.#cancelTimer?.()
    this.#timerAt = due
    this.#cancelTimer = this.#clock.setTimer(millis(Math.max(0, due - now)), this.#fire)
  }

  readonly #fire = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#cancelTimer = null
    const now = this.#clock.now()
    this.#complete(now)
    if (this.#active.length > 0 || this.#blocked.length > 0) this.#arm(now)
  }
}
