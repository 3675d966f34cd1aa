/** Largest SCTP packet's payload, in bytes, near enough: what congestion control counts in. */
const PACKET_BYTES = 1150
/** RFC 6928's initial window of ten packets, which dcSCTP uses too. */
const INITIAL_WINDOW_BYTES = 10 * PACKET_BYTES
/** RFC 9260 section 7.2.3: never below four packets after a loss. */
const LEAST_WINDOW_BYTES = 4 * PACKET_BYTES
/** Receiver's buffer of the node-datachannel adapter, in bytes: no more can be under way. */
const RECEIVE_WINDOW_BYTES = 4 * 1024 * 1024

interface Acknowledgement {
  readonly at: number
  readonly bytes: number
  readonly lost: boolean
}

/**
 * SCTP's congestion window (RFC 9260 section 7.2) of one direction of one link: slow start, additive
 * increase, halved at most once a round trip. With random loss its rate settles at the Mathis
 * bound, as that of real links does.
 */
export class CongestionWindow {
  #window = INITIAL_WINDOW_BYTES
  #threshold = RECEIVE_WINDOW_BYTES
  #inFlight = 0
  #halvedUntil = Number.NEGATIVE_INFINITY
  readonly #enabled: boolean
  /** By time, nearly: jitter may swap neighbours, which then wait for each other. */
  readonly #coming: Acknowledgement[] = []
  #head = 0

  constructor(enabled: boolean) {
    this.#enabled = enabled
  }

  /** Whether one more message may leave now. Something always may when nothing is under way. */
  allows(bytes: number, now: number, roundTripMs: number): boolean {
    if (!this.#enabled) return true
    this.#takeAcknowledgements(now, roundTripMs)
    return this.#inFlight === 0 || this.#inFlight + bytes <= this.#window
  }

  /** When the next acknowledgement comes; Infinity where none is under way. */
  get nextAcknowledgementAt(): number {
    return this.#coming[this.#head]?.at ?? Number.POSITIVE_INFINITY
  }

  sent(bytes: number): void {
    if (this.#enabled) this.#inFlight += bytes
  }

  /** A message's fate will be known to the sender at `at`. */
  acknowledgeAt(at: number, bytes: number, lost: boolean): void {
    if (this.#enabled) this.#coming.push({ at, bytes, lost })
  }

  #takeAcknowledgements(now: number, roundTripMs: number): void {
    for (;;) {
      const next = this.#coming[this.#head]
      if (next === undefined || next.at > now) break
      this.#head++
      this.#inFlight -= next.bytes
      if (next.lost) this.#halve(next.at, roundTripMs)
      else if (this.#window < this.#threshold) this.#window += next.bytes
      else this.#window += (PACKET_BYTES * next.bytes) / this.#window
      this.#window = Math.min(this.#window, RECEIVE_WINDOW_BYTES)
    }
    if (this.#head > 256 && this.#head * 2 > this.#coming.length) {
      this.#coming.splice(0, this.#head)
      this.#head = 0
    }
  }

  #halve(at: number, roundTripMs: number): void {
    if (at < this.#halvedUntil) return
    this.#halvedUntil = at + roundTripMs
    this.#window = Math.max(LEAST_WINDOW_BYTES, this.#window / 2)
    this.#threshold = this.#window
  }
}
