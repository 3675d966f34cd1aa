import type { Millis } from '@shoal/protocol'
import { DelayHistory } from './delay-history.js'
import type { LinkId } from './io.js'

/** Queueing delay that uploads may cause, in milliseconds: RFC 6817 section 2.5, "MUST be 100 or less". */
const TARGET_MS = 100

/** With less the queue counts as empty, in milliseconds: paths jitter. */
const EMPTY_MS = 25

/**
 * The rate is settled once in this time at most, and by round trips that began after the last change, in
 * milliseconds; two of them at least, since one path may have a queue of its own.
 */
const SETTLE_MS = 1_000
const IN_FLIGHT_MS = 300
const LEAST_ROUND_TRIPS = 2

/** A queue above half the target is to be gone after this time, in milliseconds; the rate is halved at most. */
const DRAIN_MS = 2_000
const STEEPEST_CUT = 0.5

/**
 * Growth in a second, as a share of the rate: back to where the queue last grew, then slowly beyond it, and
 * faster with each time that the queue stays empty. RFC 6817's one segment for each round trip supposes a
 * signal with every packet; in the second or two that this one takes the queue must not grow by more than
 * the target.
 */
const RETURN_SHARE = 0.25
const PROBE_SHARE = 0.03
const FASTEST_PROBE_SHARE = 0.15
const PROBE_FACTOR = 1.3

/** Never slower than this, in bytes per second: LEDBAT keeps two packets for each round trip too. */
const LEAST_BYTES_PER_SECOND = 16_000

/** The first limit is cut from no less, in bytes per second: a slow home uplink. */
const LEAST_FIRST_BYTES_PER_SECOND = 250_000

/** Tokens that may gather, in milliseconds of the rate and in bytes: the pump's timers are that late. */
const BURST_MS = 20
const LEAST_BURST_BYTES = 4 * 1150

/**
 * Upload rate that leaves the uplink to other traffic, after LEDBAT (RFC 6817): it falls by a factor
 * while the uplink's queue is longer than 100 ms and grows while it is shorter.
 *
 * The signal is the round trips of all connections, as the transport measures them (ICE checks), over
 * the least of the last minutes of each. A queue on our own access line lies on the way of all of them,
 * so the least excess of a moment counts: what one path or one other side adds is left out. With a single
 * connection it cannot be told apart, and with none that tells its round trip nothing limits the rate.
 * It cannot see a queue that has been there since the connections opened (the base then includes it), nor
 * one that comes and goes within a second or two, the time between checks.
 */
export class ScavengingRate {
  private readonly histories = new Map<LinkId, DelayHistory>()
  private limit = Number.POSITIVE_INFINITY
  private tokens = 0
  private filledAt = 0
  /** Since the rate was last settled: when that was, what has left, what round trips were over their base. */
  private settledAt: Millis | null = null
  private bytes = 0
  private roundTrips = 0
  private leastExcess = Number.POSITIVE_INFINITY
  private lastDelay = 0
  private fastest = LEAST_FIRST_BYTES_PER_SECOND
  /** Rate at which the queue last grew, in bytes per second. */
  private ceiling = Number.POSITIVE_INFINITY
  private probeShare = PROBE_SHARE

  /** Bytes per second; Infinity until there was a reason to limit it. */
  get bytesPerSecond(): number {
    return this.limit
  }

  /** Milliseconds until `bytes` may leave; 0: now. */
  wait(bytes: number, now: Millis): number {
    if (this.limit === Number.POSITIVE_INFINITY) return 0
    const burst = Math.max(LEAST_BURST_BYTES, (this.limit * BURST_MS) / 1000)
    this.tokens = Math.min(burst, this.tokens + ((now - this.filledAt) * this.limit) / 1000)
    this.filledAt = now
    return this.tokens >= bytes ? 0 : Math.max(1, Math.ceil(((bytes - this.tokens) * 1000) / this.limit))
  }

  /** Bytes have left. */
  sent(bytes: number, now: Millis): void {
    this.settledAt ??= now
    this.bytes += bytes
    if (this.limit < Number.POSITIVE_INFINITY) this.tokens -= bytes
  }

  /** A connection's round trip was measured, in milliseconds. */
  roundTrip(link: LinkId, rtt: Millis, now: Millis): void {
    if (!(rtt >= 0)) return
    let history = this.histories.get(link)
    if (history === undefined) {
      history = new DelayHistory()
      this.histories.set(link, history)
    }
    history.add(rtt, now)
    if (this.settledAt === null || now - this.settledAt < IN_FLIGHT_MS) return
    this.roundTrips++
    this.leastExcess = Math.min(this.leastExcess, rtt - history.base)
    if (this.roundTrips >= LEAST_ROUND_TRIPS && now - this.settledAt >= SETTLE_MS) this.settle(now)
  }

  closeLink(link: LinkId): void {
    this.histories.delete(link)
  }

  private settle(now: Millis): void {
    const seconds = (now - (this.settledAt ?? now)) / 1000
    const throughput = this.bytes / seconds
    const delay = this.leastExcess
    const growth = (delay - this.lastDelay) / 1000 / seconds
    this.settledAt = now
    this.bytes = 0
    this.roundTrips = 0
    this.leastExcess = Number.POSITIVE_INFINITY
    this.lastDelay = delay
    this.fastest = Math.max(this.fastest, throughput)
    // Whoever sends next to nothing neither fills the queue nor learns how much would.
    if (throughput < LEAST_BYTES_PER_SECOND / 2) return
    if (delay > TARGET_MS) this.cut(delay, throughput, growth, now)
    // While less is sent than may be, nothing tells whether the uplink bears more.
    else if (throughput > this.limit / 2) this.grow(delay, seconds)
  }

  /** @param growth of the queue, in seconds for each second */
  private cut(delay: number, throughput: number, growth: number, now: Millis): void {
    // Where little was asked for, what has left says little of what the uplink bears.
    const before = Math.min(this.limit, this.fastest)
    const asked = throughput > before / 2
    const rate = asked ? Math.min(before, throughput) : before / 2
    // What came out of a queue that grew by a tenth of the time is a tenth less than what went in; one
    // that shrinks already is left to do so.
    const passed = rate / (1 + Math.min(1, Math.max(-0.5, growth)))
    const drain = Math.min(STEEPEST_CUT, (delay - TARGET_MS / 2) / DRAIN_MS)
    if (this.limit === Number.POSITIVE_INFINITY) this.filledAt = now
    this.limit = Math.max(LEAST_BYTES_PER_SECOND, Math.min(this.limit, passed * (1 - drain)))
    this.ceiling = asked ? passed : before
    this.probeShare = PROBE_SHARE
  }

  private grow(delay: number, seconds: number): void {
    const room = (TARGET_MS - delay) / TARGET_MS
    if (this.limit < this.ceiling * (1 - PROBE_SHARE)) {
      this.limit = Math.min(this.ceiling, this.limit * (1 + room * RETURN_SHARE * seconds))
      return
    }
    this.limit *= 1 + room * this.probeShare * seconds
    if (delay > EMPTY_MS) this.probeShare = PROBE_SHARE
    else this.probeShare = Math.min(FASTEST_PROBE_SHARE, this.probeShare * PROBE_FACTOR)
  }
}
