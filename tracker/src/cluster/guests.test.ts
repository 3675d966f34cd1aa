import { millis } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { UNKNOWN_PLACE } from '../locality/place.js'
import { OFFER_LIFE_MS, OffersInFlight } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import { id } from '../testing/messages.js'
import { join, newRegistry } from '../testing/swarm-builder.js'
import type { NodeId } from './bus.js'
import { Guests } from './guests.js'

const A = 'a'.repeat(16) as NodeId
const B = 'b'.repeat(16) as NodeId
const sketch = { id: id('g') as Peer['id'], shoal: true, seeder: false, ageSeconds: 5, place: UNKNOWN_PLACE }
const now = millis(10_000)

it('a guest stays while its offers can be answered, and is nobody in the swarm', () => {
  const local = join(newRegistry(), 'local')
  const offers = new OffersInFlight()
  const guests = new Guests(offers)
  const guest = guests.welcome(A, local.swarm, sketch, now)
  expect(guest.joinedSeconds).toBe(5)
  expect(guests.welcome(A, local.swarm, sketch, now)).toBe(guest)
  expect([local.swarm.peers.size, local.swarm.incomplete]).toEqual([1, 1])
  offers.add(guest, local, 'o', now)
  guests.sweep(now)
  expect(guests.get(local.swarm, sketch.id)).toEqual({ node: A, peer: guest })
  guests.sweep(millis(now + OFFER_LIFE_MS))
  expect([guests.size, offers.size, local.unanswered]).toEqual([0, 0, 0])
})

it('a guest that comes from another node is another one', () => {
  const local = join(newRegistry(), 'local')
  const offers = new OffersInFlight()
  const guests = new Guests(offers)
  const first = guests.welcome(A, local.swarm, sketch, now)
  offers.add(first, local, 'o', now)
  const second = guests.welcome(B, local.swarm, sketch, now)
  expect(second).not.toBe(first)
  expect([guests.size, offers.size, local.unanswered]).toEqual([1, 0, 0])
})
