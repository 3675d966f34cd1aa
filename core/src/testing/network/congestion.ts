/** Largest SCTP packet's payload, in bytes, near enough: what congestion control counts in. */
export const PACKET_BYTES = 1150
/** RFC 6928's initial window of ten packets, which dcSCTP uses too. */
const INITIAL_WINDOW_BYTES = 10 * PACKET_BYTES
/** RFC 9260 section 7.2.3: never below four packets after a loss. */
const LEAST_WINDOW_BYTES = 4 * PACKET_BYTES
/** Receiver's buffer of the node-datachannel adapter, in bytes: no more can be under way. */
const RECEIVE_WINDOW_BYTES = 4 * 1024 * 1024

/** Numbers that an acknowledgement takes in the list of those to come: when, bytes, whether of a loss. */
const ACKNOWLEDGEMENT = 3

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
  readonly #coming: number[] = []
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

  /** Whether anything of a message of many packets may leave now. */
  isOpen(now: number, roundTripMs: number): boolean {
    if (!this.#enabled) return true
    this.#takeAcknowledgements(now, roundTripMs)
    return this.#inFlight < this.#window
  }

  /** Round trips that such a message takes at least: those in which the window grows to its size. */
  waitOf(bytes: number): number {
    const windows = (this.#inFlight + bytes) / this.#window
    if (!this.#enabled || windows <= 1) return 0
    return this.#window < this.#threshold ? Math.log2(1 + windows) - 1 : windows - 1
  }

  /** When the next acknowledgement comes; Infinity where none is under way. */
  get nextAcknowledgementAt(): number {
    return this.#coming[this.#head] ?? Number.POSITIVE_INFINITY
  }

  sent(bytes: number): void {
    if (this.#enabled) this.#inFlight += bytes
  }

  /** A message's fate will be known to the sender at `at`. */
  acknowledgeAt(at: number, bytes: number, lost: boolean): void {
    if (this.#enabled) this.#coming.push(at, bytes, lost ? 1 : 0)
  }

  #takeAcknowledgements(now: number, roundTripMs: number): void {
    for (;;) {
      const at = this.#coming[this.#head]
      if (at === undefined || at > now) break
      const bytes = this.#coming[this.#head + 1] ?? 0
      const lost = this.#coming[this.#head + 2] === 1
      this.#head += ACKNOWLEDGEMENT
      this.#inFlight -= bytes
      if (lost) this.#halve(at, roundTripMs)
      else if (this.#window < this.#threshold) this.#window += bytes
      else this.#window += (PACKET_BYTES * bytes) / this.#window
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
