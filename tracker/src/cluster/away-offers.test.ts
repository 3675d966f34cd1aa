import type { PeerId } from '@shoal/protocol'
import { MAX_CANDIDATES, millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { OFFER_LIFE_MS } from '../swarm/offers-in-flight.js'
import { id } from '../testing/messages.js'
import { join, newRegistry } from '../testing/swarm-builder.js'
import { AwayOffers } from './away-offers.js'
import type { NodeId } from './bus.js'

const A = 'a'.repeat(16) as NodeId
const B = 'b'.repeat(16) as NodeId
const [r, s] = [id('r') as PeerId, id('s') as PeerId]
const now = millis(1000)
const late = millis(1000 + OFFER_LIFE_MS)

function scene() {
  const registry = newRegistry()
  const [offerer, other] = [join(registry, 'offerer'), join(registry, 'other')]
  const away = new AwayOffers()
  expect(away.add(offerer, 'o', A, now)).toBe(true)
  return { offerer, other, away }
}

describe('an offer that is elsewhere', () => {
  it('goes out once', () => {
    const { offerer, away } = scene()
    expect(away.add(offerer, 'o', A, now)).toBe(false)
    expect(away.add(offerer, 'o', B, now)).toBe(false)
    expect(away.size).toBe(1)
  })

  it('is answered once, in time, from where it is', () => {
    const { offerer, other, away } = scene()
    expect(away.answer(offerer, B, r, 'o', now)).toBe(false)
    expect(away.answer(other, A, r, 'o', now)).toBe(false)
    expect(away.answer(offerer, A, r, 'other', now)).toBe(false)
    expect(away.answer(offerer, A, r, 'o', now)).toBe(true)
    expect(away.answer(offerer, A, r, 'o', now)).toBe(false)
    const second = scene()
    expect(second.away.answer(second.offerer, A, r, 'o', late)).toBe(false)
  })

  it('belongs to the first who says something about it', () => {
    const { offerer, away } = scene()
    expect(away.candidatesTo(offerer, r, 'o', 1, now)).toBeNull()
    expect(away.candidatesFrom(offerer, A, r, 'o', 1, now)).toBe(true)
    expect(away.answer(offerer, A, s, 'o', now)).toBe(false)
    expect(away.candidatesTo(offerer, s, 'o', 1, now)).toBeNull()
    expect(away.candidatesTo(offerer, r, 'o', 1, now)).toBe(A)
  })

  it('has a bounded number of candidates each way', () => {
    const { offerer, away } = scene()
    expect(away.candidatesFrom(offerer, A, r, 'o', MAX_CANDIDATES, now)).toBe(true)
    expect(away.candidatesFrom(offerer, A, r, 'o', 1, now)).toBe(false)
    expect(away.candidatesTo(offerer, r, 'o', MAX_CANDIDATES, now)).toBe(A)
    expect(away.candidatesTo(offerer, r, 'o', 1, now)).toBeNull()
  })

  it('is found among others, whoever else offers the same and whatever has gone', () => {
    const { offerer, other, away } = scene()
    for (let i = 0; i < 40; i++) {
      expect(away.add(other, `o${i}`, B, now)).toBe(true)
      expect(away.add(offerer, `o${i}`, A, millis(now + i))).toBe(true)
    }
    away.sweep(millis(late + 20))
    for (let i = 0; i < 40; i++) {
      expect(away.answer(other, B, r, `o${i}`, now)).toBe(false)
      expect(away.answer(offerer, A, r, `o${i}`, now)).toBe(i > 20)
    }
    expect(away.size).toBe(19)
  })

  it('is forgotten in time, with its offerer, and for newer ones', () => {
    const { offerer, away } = scene()
    for (let i = 0; i < 200; i++) expect(away.add(offerer, `o${i}`, A, now)).toBe(true)
    expect(away.size).toBe(64)
    expect(away.answer(offerer, A, r, 'o', now)).toBe(false)
    away.sweep(late)
    expect(away.size).toBe(0)
    away.add(offerer, 'o', A, late)
    away.forget(offerer)
    expect([away.size, away.answer(offerer, A, r, 'o', late)]).toEqual([0, false])
  })
})
