import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../testing/random.js'
import { ScavengingRate } from './scavenging-rate.js'

const CHUNK = 1136
const STEP_MS = 10

interface Line {
  /** Bytes per second of the access line. */
  readonly uplink: number
  /** Bytes per second of the viewer's other traffic, by the time in seconds. */
  readonly others?: (second: number) => number
  readonly connections?: number
  /** Each connection tells a round trip this often, in milliseconds: Chromium's ICE checks. */
  readonly checkMs?: number
  readonly seconds?: number
  readonly seed?: number
}

/** A page that has just been opened uploads nothing: the least round trips become known, in seconds. */
const IDLE_SECONDS = 10

/** One second of a run. */
interface Second {
  /** Bytes that the uploads got through, and the longest queue in milliseconds. */
  readonly uploaded: number
  readonly queueMs: number
}

/**
 * Uploads without end over an access line with one deep queue, which other traffic shares; round trips
 * are measured through it.
 */
function run({ uplink, others = () => 0, connections = 6, checkMs = 2_500, seconds = 60, seed = 1 }: Line) {
  const random = seededRandom(seed)
  const rate = new ScavengingRate()
  const checkAt = Array.from({ length: connections }, () => random() * checkMs)
  const base = Array.from({ length: connections }, () => 20 + random() * 80)
  const result: Second[] = []
  let queue = 0
  for (let second = -IDLE_SECONDS; second < seconds; second++) {
    let uploaded = 0
    let queueMs = 0
    for (let step = 0; step < 1000; step += STEP_MS) {
      const now = millis((second + IDLE_SECONDS) * 1000 + step)
      queue += (others(second) * STEP_MS) / 1000
      // A deep queue all the same ends: what SCTP has under way fills it for two seconds at most.
      while (second >= 0 && queue < uplink * 2 && rate.wait(CHUNK, now) === 0) {
        rate.sent(CHUNK, now)
        uploaded += CHUNK
        queue += CHUNK
      }
      queue = Math.max(0, queue - (uplink * STEP_MS) / 1000)
      const delay = (queue * 1000) / uplink
      queueMs = Math.max(queueMs, delay)
      for (let link = 0; link < connections; link++) {
        if (now < (checkAt[link] ?? 0)) continue
        checkAt[link] = now + checkMs
        // Some paths have queues of their own now and then.
        const elsewhere = random() < 0.3 ? random() * 300 : random() * 10
        rate.roundTrip(link, millis((base[link] ?? 0) + delay + elsewhere), now)
      }
    }
    if (second >= 0) result.push({ uploaded, queueMs })
  }
  return result
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Rate and longest queue of each second, on average, of a part of a run. */
function averages(seconds: readonly Second[]) {
  return {
    uploaded: mean(seconds.map(({ uploaded }) => uploaded)),
    queueMs: mean(seconds.map(({ queueMs }) => queueMs)),
  }
}

describe('ScavengingRate', () => {
  it('limits nothing before it has seen a queue', () => {
    const rate = new ScavengingRate()
    rate.sent(1e6, millis(0))
    for (let now = 0; now < 20_000; now += 250) rate.roundTrip(1, millis(40 + (now % 90)), millis(now))
    expect(rate.bytesPerSecond).toBe(Number.POSITIVE_INFINITY)
    expect(rate.wait(1e9, millis(20_000))).toBe(0)
  })

  it.each([
    [100_000, 1],
    [250_000, 2],
    [625_000, 3],
    [2_500_000, 4],
  ])('uses an uplink of %d bytes/s almost whole, with a queue near the target', (uplink, seed) => {
    const settled = averages(run({ uplink, seed, seconds: 90 }).slice(30))
    expect(settled.uploaded).toBeGreaterThan(0.9 * uplink)
    expect(settled.queueMs).toBeLessThan(150)
  })

  it('leaves the line to a call that takes most of it, and takes it back afterwards', () => {
    const uplink = 500_000
    const others = (second: number) => (second >= 40 && second < 80 ? 400_000 : 0)
    const seconds = run({ uplink, others, seconds: 150 })
    const during = averages(seconds.slice(55, 80))
    expect(during.uploaded).toBeLessThan(100_000)
    expect(during.uploaded).toBeGreaterThan(20_000)
    expect(during.queueMs).toBeLessThan(200)
    expect(averages(seconds.slice(120)).uploaded).toBeGreaterThan(0.9 * uplink)
  })

  it('falls to its least where other traffic fills the queue by itself, and no further', () => {
    const others = (second: number) => (second < 20 ? 0 : 184_000)
    const { uploaded } = averages(run({ uplink: 200_000, others, seconds: 60 }).slice(40))
    expect(uploaded).toBeLessThan(25_000)
    expect(uploaded).toBeGreaterThan(14_000)
  })

  it('does not take one slow path for its own line', () => {
    const rate = new ScavengingRate()
    for (let now = 0; now < 30_000; now += 100) {
      rate.sent(50_000, millis(now))
      if (now % 500 !== 0) continue
      rate.roundTrip(1, millis(30), millis(now))
      rate.roundTrip(2, millis(now < 5_000 ? 40 : 900), millis(now))
    }
    expect(rate.bytesPerSecond).toBe(Number.POSITIVE_INFINITY)
  })

  it('does not blame itself while it uploads nothing', () => {
    const rate = new ScavengingRate()
    rate.sent(CHUNK, millis(0))
    for (let now = 0; now < 30_000; now += 500) {
      rate.roundTrip(1, millis(now < 5_000 ? 30 : 800), millis(now))
    }
    expect(rate.bytesPerSecond).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes no round trip that is none', () => {
    const rate = new ScavengingRate()
    for (let now = 0; now < 5_000; now += 500) {
      rate.sent(1e6, millis(now))
      rate.roundTrip(1, Number.NaN as ReturnType<typeof millis>, millis(now))
      rate.roundTrip(1, -1 as ReturnType<typeof millis>, millis(now))
    }
    expect(rate.bytesPerSecond).toBe(Number.POSITIVE_INFINITY)
  })
})
