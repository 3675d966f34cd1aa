import { millis, segmentKey } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { testPeerId, testSegmentId } from '../testing/engine-fixtures.js'
import { Election, placeOf } from './election.js'

const NOW = millis(1_000)
const LATER = millis(9_000)

function atEdge(sequence = 1): Election {
  const election = new Election(testPeerId('me'))
  election.wanted(testSegmentId(sequence))
  return election
}

describe('Election', () => {
  it('says on what is lower than all that was heard, once', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    expect(election.heard(id, 500, NOW)).toBe(true)
    expect(election.heard(id, 500, NOW)).toBe(false)
    expect(election.heard(id, 900, NOW)).toBe(false)
    expect(election.heard(id, 20, NOW)).toBe(true)
    expect(election.leader(segmentKey(id), LATER, NOW)).toBe(20)
  })

  it('hears its own claim come back and does not take it for another', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    expect(election.heard(id, election.place(segmentKey(id)), NOW)).toBe(false)
    expect(election.leader(segmentKey(id), LATER, NOW)).toBeNull()
  })

  it('takes claims only near the edge that is watched here', () => {
    const election = atEdge(10)
    expect(election.heard(testSegmentId(9), 1, NOW)).toBe(false)
    expect(election.heard(testSegmentId(14), 1, NOW)).toBe(false)
    expect(election.heard({ ...testSegmentId(10), track: 77 as never }, 1, NOW)).toBe(false)
    for (const sequence of [10, 11, 12, 13]) {
      expect(election.heard(testSegmentId(sequence), 1, NOW)).toBe(true)
    }
  })

  it('believes a claim for a share of the time left; then there is room for three', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    const key = segmentKey(id)
    const deadline = millis(10_000)
    election.heard(id, 5, millis(0))
    // 30 % of 10 s, counted from when it was heard.
    expect(election.leader(key, deadline, millis(2_999))).toBe(5)
    expect(election.leader(key, deadline, millis(3_000))).toBeNull()
    for (const place of [9, 8, 7]) {
      expect(election.leader(key, deadline, millis(3_100))).toBeNull()
      expect(election.heard(id, place, millis(3_100))).toBe(true)
    }
    expect(election.leader(key, deadline, millis(3_100))).toBe(9)
    expect(election.heard(id, 10, millis(3_100))).toBe(false)
    // Said again it is no news: a claimant that is gone does not live on in what others repeat.
    expect(election.heard(id, 5, millis(3_100))).toBe(false)
    expect(election.leader(key, deadline, millis(3_100))).toBe(9)
  })

  it('frees at once what a peer claimed that is gone', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    const key = segmentKey(id)
    const peer = testPeerId('leader')
    election.heard(id, placeOf(key, peer), NOW)
    election.gone(testPeerId('another'))
    expect(election.leader(key, LATER, NOW)).toBe(placeOf(key, peer))
    election.gone(peer)
    expect(election.leader(key, LATER, NOW)).toBeNull()
    expect(election.heard(id, placeOf(key, peer), NOW)).toBe(false)
  })

  it('has more than one leader where one uplink would feed too many', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    const key = segmentKey(id)
    election.swarmSize = 51
    expect(election.heard(id, 50, NOW)).toBe(true)
    // A seat is free: whoever comes now may lead too.
    expect(election.leader(key, LATER, NOW)).toBeNull()
    expect(election.heard(id, 90, NOW)).toBe(true)
    expect(election.leader(key, LATER, NOW)).toBe(90)
    expect(election.heard(id, 20, NOW)).toBe(true)
    expect(election.leader(key, LATER, NOW)).toBe(50)
    expect(election.heard(id, 70, NOW)).toBe(false)
    election.swarmSize = 50
    expect(election.leader(key, LATER, NOW)).toBe(20)
  })

  it('remembers a bounded number of claims, whoever makes them up', () => {
    const election = atEdge()
    const id = testSegmentId(1)
    let news = 0
    for (let place = 100_000; place > 0; place--) if (election.heard(id, place, NOW)) news++
    expect(news).toBe(8)
  })

  it('spreads places evenly', () => {
    const places = Array.from({ length: 4_000 }, (_, index) => placeOf('1/2', testPeerId(`v${index}`)))
    const mean = places.reduce((sum, place) => sum + place, 0) / places.length / 2 ** 32
    expect(mean).toBeGreaterThan(0.48)
    expect(mean).toBeLessThan(0.52)
    expect(new Set(places).size).toBeGreaterThan(3_990)
  })
})
