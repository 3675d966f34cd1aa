import { CHUNK_BYTES, millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { type UploadLimits, UploadPolicy } from './upload-policy.js'

const NOW = millis(1_000)

function policy(limits: Partial<UploadLimits> = {}): UploadPolicy {
  const unlimited = Number.POSITIVE_INFINITY
  return new UploadPolicy({
    uploads: true,
    bytesPerSecond: unlimited,
    bytesPerSession: unlimited,
    ...limits,
  })
}

describe('UploadPolicy', () => {
  it('does what the host says, and never more than the options allow', () => {
    const free = policy()
    const never = policy({ uploads: false })
    for (const wish of ['on', 'paused', 'off'] as const) {
      free.wish = wish
      never.wish = wish
      expect([free.state(NOW), never.state(NOW)]).toEqual([wish, 'off'])
    }
  })

  it('does not pause while it leads, but stops when it must', () => {
    const leader = policy()
    leader.leadsUntil = 5_000
    leader.wish = 'paused'
    expect([leader.state(millis(4_999)), leader.state(millis(5_000))]).toEqual(['on', 'paused'])
    leader.wish = 'off'
    expect(leader.state(NOW)).toBe('off')
  })

  it('is over for good when the bytes of the session are used up, to the byte', () => {
    const capped = policy({ bytesPerSession: 10 * CHUNK_BYTES + 500 })
    let sent = 0
    while (capped.take(NOW) === 0) {
      capped.sent(CHUNK_BYTES)
      sent += CHUNK_BYTES
    }
    expect(sent).toBe(10 * CHUNK_BYTES)
    expect(capped.take(NOW)).toBe(Number.POSITIVE_INFINITY)
    capped.wish = 'on'
    expect(capped.state(NOW)).toBe('off')
  })

  it('has nothing to give where the session may not bear one chunk', () => {
    expect(policy({ bytesPerSession: 0 }).state(NOW)).toBe('off')
  })

  it('counts short chunks as what they are', () => {
    const capped = policy({ bytesPerSession: 2 * CHUNK_BYTES })
    for (let short = 0; short < 5; short++) {
      expect(capped.take(NOW)).toBe(0)
      capped.sent(200)
    }
  })

  it('keeps to its bytes per second and says how long to wait', () => {
    const capped = policy({ bytesPerSecond: 100_000 })
    let now = 1_000
    let sent = 0
    while (now < 11_000) {
      const wait = capped.take(millis(now))
      if (wait === 0) sent += CHUNK_BYTES
      else now += wait
    }
    const burst = 64 * 1024
    expect(sent).toBeLessThanOrEqual(burst + 100_000 * 10)
    expect(sent).toBeGreaterThan(0.98 * 100_000 * 10)
    expect(capped.rate).toBe(100_000)
  })

  it('leaves the uplink to others below its cap', () => {
    const polite = policy({ bytesPerSecond: 1_000_000 })
    for (let now = 0; now < 20_000; now += 10) {
      while (polite.take(millis(now)) === 0);
      if (now % 200 !== 0) continue
      for (const link of [1, 2, 3])
        polite.scavenging.roundTrip(link, millis(now < 5_000 ? 40 : 400), millis(now))
    }
    expect(polite.rate).toBeLessThan(100_000)
  })
})
