/**
 * Urgent share of a segment, three times in a row, above which the swarm counts as short of uplink: the
 * death of whoever leads spoils two.
 */
const SHORT_SHARE = 0.05

/** Growth of the share by the urgent share: a swarm short of half its uplink is there in ten segments. */
const GAIN = 0.3

/** With less than this urgent there is uplink to spare: the share shrinks. Between the two it holds. */
const ENOUGH_SHARE = 0.005
const DECAY = 0.85

/** A smaller share costs a request for next to nothing. */
const LEAST_SHARE = 0.02

/**
 * Share of each live segment that is fetched from the origin at once, for swarms with less uplink than
 * they play: what peers will not deliver in time is known after a few segments, and fetched early and
 * in one request, another span by each viewer, in place of late and in many.
 */
export class DeficitController {
  private phi = 0
  private before = [0, 0]

  /** 0 to 1; 0 where the swarm can feed itself. */
  get share(): number {
    return this.phi < LEAST_SHARE ? 0 : this.phi
  }

  /** A live segment is complete. `urgent`: share of its bytes that the deadline made HTTP bring. */
  segmentDone(urgent: number): void {
    const error = Math.min(urgent, ...this.before)
    this.before = [urgent, this.before[0] ?? 0]
    if (error > SHORT_SHARE) this.phi = Math.min(1, this.phi + GAIN * error)
    else if (error < ENOUGH_SHARE) this.phi *= DECAY
  }
}
