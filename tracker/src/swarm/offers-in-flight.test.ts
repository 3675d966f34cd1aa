import { MAX_CANDIDATES, millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { join, LEECHER, newRegistry } from '../testing/swarm-builder.js'
import { MAX_OFFERS_PER_PEER, OFFER_LIFE_MS, OffersInFlight } from './offers-in-flight.js'

function scene(profile?: typeof LEECHER) {
  const registry = newRegistry()
  const [a, b, c] = [join(registry, 'a', profile), join(registry, 'b', profile), join(registry, 'c', profile)]
  const offers = new OffersInFlight()
  offers.add(a, b, 'o', millis(0))
  return { a, b, c, offers }
}

describe('answers', () => {
  it('pass once, from the receiver to the offerer', () => {
    const { a, b, c, offers } = scene()
    expect(offers.answer(a, c, 'o', millis(1))).toBe(false)
    expect(offers.answer(b, a, 'o', millis(1))).toBe(false)
    expect(offers.answer(a, b, 'x', millis(1))).toBe(false)
    expect(offers.answer(a, b, 'o', millis(1))).toBe(true)
    expect(offers.answer(a, b, 'o', millis(1))).toBe(false)
  })

  it('pass within the life of the offer only', () => {
    const early = scene()
    expect(early.offers.answer(early.a, early.b, 'o', millis(OFFER_LIFE_MS - 1))).toBe(true)
    const late = scene()
    expect(late.offers.answer(late.a, late.b, 'o', millis(OFFER_LIFE_MS))).toBe(false)
  })

  it('of stock peers end the offer', () => {
    const { a, b, offers } = scene(LEECHER)
    expect(offers.answer(a, b, 'o', millis(1))).toBe(true)
    expect(offers.size).toBe(0)
    expect(a.offerCount).toBe(0)
  })
})

describe('candidates', () => {
  it('pass between the two ends, before and after the answer', () => {
    const { a, b, c, offers } = scene()
    expect(offers.candidates(b, a, 'o', 1, millis(1))).toBe(true)
    offers.answer(a, b, 'o', millis(1))
    expect(offers.candidates(a, b, 'o', 1, millis(2))).toBe(true)
    expect(offers.candidates(c, a, 'o', 1, millis(2))).toBe(false)
    expect(offers.candidates(a, c, 'o', 1, millis(2))).toBe(false)
    expect(offers.candidates(a, b, 'o', 1, millis(OFFER_LIFE_MS))).toBe(false)
  })

  it('are counted for each side', () => {
    const { a, b, offers } = scene()
    expect(offers.candidates(a, b, 'o', MAX_CANDIDATES, millis(1))).toBe(true)
    expect(offers.candidates(a, b, 'o', 1, millis(1))).toBe(false)
    expect(offers.candidates(b, a, 'o', MAX_CANDIDATES - 1, millis(1))).toBe(true)
    expect(offers.candidates(b, a, 'o', 2, millis(1))).toBe(false)
    expect(offers.candidates(b, a, 'o', 1, millis(1))).toBe(true)
  })
})

describe('bounds', () => {
  it('the oldest offer of a peer makes room', () => {
    const { a, b, offers } = scene()
    for (let i = 0; i < MAX_OFFERS_PER_PEER; i++) offers.add(a, b, `o${i}`, millis(1))
    expect(offers.size).toBe(MAX_OFFERS_PER_PEER)
    expect(b.unanswered).toBe(MAX_OFFERS_PER_PEER)
    expect(offers.answer(a, b, 'o', millis(2))).toBe(false)
    expect(offers.answer(a, b, 'o0', millis(2))).toBe(true)
  })

  it('when there are too many over all peers, one may replace its own only', () => {
    const registry = newRegistry()
    const [a, b, c] = [join(registry, 'a'), join(registry, 'b'), join(registry, 'c')]
    const offers = new OffersInFlight(2)
    offers.add(a, b, 'o1', millis(0))
    offers.add(a, b, 'o2', millis(0))
    expect(offers.add(c, b, 'o3', millis(1))).toBe(false)
    expect(c.offerCount).toBe(0)
    expect(offers.add(a, c, 'o4', millis(1))).toBe(true)
    expect(offers.size).toBe(2)
    expect(offers.answer(a, b, 'o1', millis(2))).toBe(false)
    expect(offers.answer(a, c, 'o4', millis(2))).toBe(true)
  })

  it('an offer id that is used again replaces the offer', () => {
    const { a, b, c, offers } = scene()
    offers.add(a, c, 'o', millis(1))
    expect(offers.answer(a, b, 'o', millis(2))).toBe(false)
    expect(offers.answer(a, c, 'o', millis(2))).toBe(true)
  })

  it('what is too old, and what a departed peer offered, is forgotten', () => {
    const { a, b, c, offers } = scene()
    offers.add(a, c, 'later', millis(1000))
    offers.expire(a, millis(OFFER_LIFE_MS))
    expect([offers.size, b.unanswered, c.unanswered]).toEqual([1, 0, 1])
    offers.forget(a)
    expect([offers.size, b.unanswered, c.unanswered]).toEqual([0, 0, 0])
    expect(a.offerCount).toBe(0)
  })
})
