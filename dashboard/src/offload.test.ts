import { describe, expect, it } from 'vitest'
import { bySourceOf, offloadOf, sumOf } from './offload.js'

describe('offloadOf', () => {
  it('is the share of peers and seeders', () => {
    expect(offloadOf({ peers: 6, seeders: 2, http: 2 })).toBe(0.8)
    expect(offloadOf({ peers: 0, seeders: 0, http: 2 })).toBe(0)
    expect(offloadOf({ peers: 0, seeders: 1, http: 0 })).toBe(1)
  })

  it('is unknown while nothing came', () => {
    expect(offloadOf({ peers: 0, seeders: 0, http: 0 })).toBeNull()
  })
})

describe('bySourceOf', () => {
  it('takes the three sources of totals', () => {
    const sources = bySourceOf({ peerBytes: 1, seederBytes: 2, httpBytes: 4 })
    expect(sources).toEqual({ peers: 1, seeders: 2, http: 4 })
    expect(sumOf(sources)).toBe(7)
  })
})
