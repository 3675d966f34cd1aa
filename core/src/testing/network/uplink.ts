import { millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import type { PathConditions } from './conditions.js'
import type { QueuedMessage, SendBuffers } from './flow.js'

/** The sending half of a link, as its host's access line sees it. */
export interface UplinkSender {
  readonly buffers: SendBuffers
  readonly outgoing: PathConditions
  readonly roundTripMs: number
  /** The message has left; its last byte is on the path at `leftAt`. */
  depart(message: QueuedMessage, leftAt: number): void
}

/** What links know of their host's upload line. */
export interface Line {
  /** The sender may have something that can leave. */
  wake(sender: UplinkSender): void
  /** Bytes of the sender's next lossy message that have left already. */
  sentOf(sender: UplinkSender): number
}

/** A host's upload line: its links take turns, one message each, at the line's rate. */
export class Uplink implements Line {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  readonly #ring: UplinkSender[] = []
  #cursor = 0
  #freeAt = 0
  #timerAt = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | null = null

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  sentOf(): number {
    return 0
  }

  wake(sender: UplinkSender): void {
    if (!this.#ring.includes(sender)) this.#ring.push(sender)
    this.#pump()
  }

  #pump(): void {
    const now = this.#clock.now()
    let retryAt = Number.POSITIVE_INFINITY
    /** Senders looked at in vain since the last message that left. */
    let vain = 0
    while (this.#ring.length > 0 && vain < this.#ring.length) {
      if (this.#freeAt > now) {
        retryAt = this.#freeAt
        break
      }
      this.#cursor %= this.#ring.length
      const sender = this.#ring[this.#cursor]
      const message = sender?.buffers.next(sender.outgoing.cut)
      if (sender === undefined || message === undefined) {
        this.#ring.splice(this.#cursor, 1)
        continue
      }
      const blockedUntil = blockedUntilOf(sender, message, now)
      this.#cursor++
      if (blockedUntil !== null) {
        retryAt = Math.min(retryAt, blockedUntil)
        vain++
        continue
      }
      vain = 0
      retryAt = Number.POSITIVE_INFINITY
      this.#send(sender, message, now)
    }
    this.#retry(retryAt)
  }

  #send(sender: UplinkSender, message: QueuedMessage, now: number): void {
    const { buffers, outgoing } = sender
    this.#freeAt = now + message.bytes / this.#bytesPerMs
    buffers.pathFreeAt = now + (message.bytes * 1000) / outgoing.bytesPerSecond
    buffers.window.sent(message.bytes)
    buffers.take(message)
    sender.depart(message, Math.max(this.#freeAt, buffers.pathFreeAt))
  }

  #retry(at: number): void {
    if (at === this.#timerAt) return
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#timerAt = at
    if (at === Number.POSITIVE_INFINITY) return
    this.#cancelTimer = this.#clock.setTimer(millis(at - this.#clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#cancelTimer = null
      this.#pump()
    })
  }
}

/** Null where the message may leave now; Infinity where an acknowledgement must first be known. */
function blockedUntilOf(sender: UplinkSender, message: QueuedMessage, now: number): number | null {
  const { buffers } = sender
  if (buffers.pathFreeAt > now) return buffers.pathFreeAt
  if (buffers.window.allows(message.bytes, now, sender.roundTripMs)) return null
  return buffers.window.nextAcknowledgementAt
}
