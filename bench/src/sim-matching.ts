import type { MakeMatching, TrackerMatching } from '@shoal/core/testing'
import type { AnnounceExtension, Millis, PeerId } from '@shoal/protocol'
import { NO_LOCALITY, type Place, UNKNOWN_PLACE } from '../../tracker/dist/locality/place.js'
import { hintsOf } from '../../tracker/dist/swarm/hints.js'
import { Matcher } from '../../tracker/dist/swarm/matching.js'
import { OffersInFlight } from '../../tracker/dist/swarm/offers-in-flight.js'
import type { Peer } from '../../tracker/dist/swarm/peer.js'
import { DEFAULT_REGISTRY_LIMITS, Registry } from '../../tracker/dist/swarm/registry.js'
import { Session } from '../../tracker/dist/swarm/session.js'

/** The one swarm of a run. */
const HASH = 'simulated-swarm' as Parameters<Registry['join']>[1]

/** As the bench of the matching has it. */
const PROVIDERS_OF_COUNTRY = 5
const CONTINENTS = 3

/** Provider and city of a viewer; provider 0 where none are told apart. */
interface Home {
  readonly index: number
  readonly isp: number
  readonly city: number
}

/** The tracker's own matching, for viewers whose homes are known. */
export const trackerMatching: MakeMatching = (random, personOf) => new SimMatcher(random, personOf)

class SimMatcher implements TrackerMatching {
  private readonly registry = new Registry(DEFAULT_REGISTRY_LIMITS, (peer) => this.offers.forget(peer))
  private readonly offers = new OffersInFlight()
  private readonly matcher: Matcher
  private readonly homeOf: (id: PeerId) => Home | null

  constructor(random: () => number, homeOf: (id: PeerId) => Home | null) {
    this.matcher = new Matcher(NO_LOCALITY, random, this.offers)
    this.homeOf = homeOf
  }

  announced(id: PeerId, told: AnnounceExtension, now: Millis): void {
    const session = this.peer(id)?.session ?? new Session({ send() {} })
    session.place = placeOf(this.homeOf(id))
    const peer = this.registry.join(session, HASH, id, { shoal: true, seeder: told.role === 'seeder' }, now)
    if (typeof peer === 'string') throw new Error(peer)
    const hints = hintsOf(told)
    if (hints !== null) peer.swarm.applyHints(peer, hints)
  }

  left(id: PeerId): void {
    const peer = this.peer(id)
    if (peer !== undefined) this.registry.leave(peer)
  }

  choose(from: PeerId, offerIds: readonly string[], now: Millis): readonly PeerId[] {
    const offerer = this.peer(from)
    if (offerer === undefined) return []
    const receivers = this.matcher.choose(offerer, offerIds.length, now)
    for (const [index, receiver] of receivers.entries()) {
      this.offers.add(offerer, receiver, offerIds[index] ?? '', now)
    }
    return receivers.map(({ id }) => id)
  }

  introduce(to: PeerId, want: number, now: Millis): readonly PeerId[] {
    const asker = this.peer(to)
    if (asker === undefined) return []
    const named = this.matcher.choose(asker, want, now)
    return named.filter((peer) => this.offers.introduce(asker, peer, now)).map(({ id }) => id)
  }

  redeem(from: PeerId, to: PeerId, offerId: string, now: Millis): boolean {
    const [offerer, receiver] = [this.peer(from), this.peer(to)]
    if (offerer === undefined || receiver === undefined) return false
    return this.offers.redeem(offerer, receiver, now) && this.offers.add(offerer, receiver, offerId, now)
  }

  answered(offerer: PeerId, receiver: PeerId, offerId: string, now: Millis): void {
    const [from, to] = [this.peer(offerer), this.peer(receiver)]
    if (from !== undefined && to !== undefined) this.offers.answer(from, to, offerId, now)
  }

  introduction(from: PeerId, to: PeerId, now: Millis) {
    const [peer, other] = [this.peer(from), this.peer(to)]
    if (peer === undefined || other === undefined) return null
    return {
      cost: NO_LOCALITY.cost(peer.place, other.place),
      age: Math.max(0, Math.floor(now / 1000) - peer.joinedSeconds),
    }
  }

  private peer(id: PeerId): Peer | undefined {
    return this.registry.swarm(HASH)?.peers.get(id)
  }
}

function placeOf(home: Home | null): Place {
  if (home === null || home.isp === 0) return UNKNOWN_PLACE
  const { index, isp, city } = home
  const country = 1 + Math.floor((isp - 1) / PROVIDERS_OF_COUNTRY)
  return {
    site: index + 1,
    local: isp * 100 + city,
    network: isp,
    country,
    continent: 1 + (country % CONTINENTS),
    pid: 0,
    known: true,
  }
}
