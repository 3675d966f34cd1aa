import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RoundTrip, TokenBucket, TransferRate } from './rates.js'

describe('TransferRate', () => {
  it('is unknown before the first transfer', () => {
    expect(new TransferRate().value).toBeNull()
  })

  it('is the rate of the transfers where they are all alike', () => {
    const sizes = fc.integer({ min: 1, max: 10_000_000 })
    const times = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(sizes, times, fc.integer({ min: 1, max: 20 }), (bytes, elapsed, count) => {
        const rate = new TransferRate()
        for (let i = 0; i < count; i++) rate.sample(bytes, millis(elapsed))
        expect((rate.value ?? 0) / ((bytes * 1_000) / elapsed)).toBeCloseTo(1, 6)
      }),
    )
  })

  it('stays between the slowest and the fastest transfer', () => {
    const transfer = fc.record({
      bytes: fc.integer({ min: 1, max: 1e7 }),
      elapsed: fc.integer({ min: 1, max: 1e4 }),
    })
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 30 }), (transfers) => {
        const rate = new TransferRate()
        for (const { bytes, elapsed } of transfers) rate.sample(bytes, millis(elapsed))
        const rates = transfers.map(({ bytes, elapsed }) => (bytes * 1_000) / elapsed)
        expect(rate.value).toBeGreaterThanOrEqual(Math.min(...rates) * 0.999)
        expect(rate.value).toBeLessThanOrEqual(Math.max(...rates) * 1.001)
      }),
    )
  })

  it('falls faster than it rises', () => {
    const falling = new TransferRate()
    const rising = new TransferRate()
    for (let i = 0; i < 30; i++) {
      falling.sample(1_000_000, millis(1_000))
      rising.sample(100_000, millis(1_000))
    }
    falling.sample(300_000, millis(3_000))
    rising.sample(3_000_000, millis(3_000))
    const fallen = (1_000_000 - (falling.value ?? 0)) / 900_000
    const risen = ((rising.value ?? 0) - 100_000) / 900_000
    expect(fallen).toBeCloseTo(0.5, 2)
    expect(risen).toBeLessThan(0.25)
  })

  it('does not take the clock’s grain for speed', () => {
    const rate = new TransferRate()
    rate.sample(1_000, millis(0))
    expect(rate.value).toBeCloseTo(1_000_000, 0)
  })
})

describe('RoundTrip', () => {
  it('follows RFC 6298', () => {
    const trip = new RoundTrip()
    expect(trip.value).toBeNull()
    expect(trip.timeout(200, 1_000)).toBe(1_000)
    trip.sample(millis(100))
    expect(trip.value).toBe(100)
    expect(trip.timeout(200, 1_000)).toBe(300)
    trip.sample(millis(180))
    expect(trip.value).toBe(110)
    expect(trip.timeout(0, 1_000)).toBe(110 + 4 * (0.75 * 50 + 0.25 * 80))
  })

  it('does not call an answer late before the floor', () => {
    const trip = new RoundTrip()
    for (let i = 0; i < 50; i++) trip.sample(millis(10))
    expect(trip.timeout(250, 1_000)).toBe(250)
  })
})

describe('TokenBucket', () => {
  const attempt = fc.record({
    wait: fc.integer({ min: 0, max: 500 }),
    bytes: fc.integer({ min: 1, max: 2_000 }),
  })

  it('never lets more pass in any span of time than its rate allows, and a burst', () => {
    fc.assert(
      fc.property(
        fc.array(attempt, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20_000 }),
        (attempts, rate) => {
          const burst = 3_000
          const bucket = new TokenBucket(rate, burst)
          const passed: { at: number; bytes: number }[] = []
          let now = 0
          for (const { wait, bytes } of attempts) {
            now += wait
            if (bucket.take(bytes, millis(now))) passed.push({ at: now, bytes })
          }
          for (const [index, first] of passed.entries()) {
            let total = 0
            for (const { at, bytes } of passed.slice(index)) {
              total += bytes
              expect(total).toBeLessThanOrEqual(burst + ((at - first.at) * rate) / 1_000 + 1e-6)
            }
          }
        },
      ),
    )
  })

  it('lets pass after the wait that it names, and not before', () => {
    const bucket = new TokenBucket(1_000, 1_000)
    expect(bucket.take(1_000, millis(0))).toBe(true)
    expect(bucket.take(500, millis(0))).toBe(false)
    const wait = bucket.wait(500)
    expect(wait).toBe(500)
    expect(bucket.take(500, millis(wait - 1))).toBe(false)
    expect(bucket.take(500, millis(wait))).toBe(true)
  })

  it('knows no limit where there is none', () => {
    const bucket = new TokenBucket(Number.POSITIVE_INFINITY, 10)
    expect(bucket.take(1e9, millis(0))).toBe(true)
    expect(bucket.wait(1e9)).toBe(0)
  })
})
