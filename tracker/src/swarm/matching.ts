import type { Peer } from './peer.js'

/** Uniform in [0, 1). */
export type Random = () => number

/**
 * Unanswered offers of the last minute after which a peer gets no more. With every peer offering as
 * much as `MAX_OFFERS_PER_PEER` allows, the average is a quarter of this.
 */
export const MAX_UNANSWERED_OFFERS = 512

/** Peers drawn beyond the number wanted: the asker itself and busy peers fall out of the draw. */
const SPARE_DRAWS = 3

/**
 * Chooses whom to relay `count` offers of `offerer` to: different peers, at random, fewer when the
 * swarm has fewer. O(count), whatever the swarm's size.
 *
 * Shoal's peers and others are never mixed. Seeders want no seeders: they get leechers only, and
 * other seeders only where nobody else is there. One offer of a Shoal viewer goes to a seeder,
 * which random choice would almost never hit in a large swarm and which every viewer can reach.
 */
export function chooseReceivers(offerer: Peer, count: number, random: Random): Peer[] {
  const { swarm } = offerer
  const leechers = offerer.shoal ? swarm.viewers : swarm.otherLeechers
  const seeders = offerer.shoal ? swarm.seeders : swarm.otherSeeders
  if (count <= 0) return []
  if (offerer.seeder) return draw(leechers.length > 0 ? leechers : seeders, offerer, count, random)
  const share = offerer.shoal ? 1 : sharedDraws(leechers.length - 1, seeders.length, count, random)
  const chosen = draw(seeders, offerer, Math.min(share, count), random)
  const more = draw(leechers, offerer, count - chosen.length, random)
  for (const peer of more) chosen.push(peer)
  if (chosen.length < count && seeders.length > share) {
    for (const peer of draw(seeders, offerer, count, random)) {
      if (chosen.length < count && !chosen.includes(peer)) chosen.push(peer)
    }
  }
  return chosen
}

/** How many of `count` draws from both pools together fall on the seeders. */
function sharedDraws(leechers: number, seeders: number, count: number, random: Random): number {
  let left = leechers + seeders
  let hits = 0
  for (let i = 0; i < count && left > 0; i++, left--) {
    if (random() * left < seeders - hits) hits++
  }
  return hits
}

/** Up to `count` different peers of `pool`, each set equally likely (Floyd's algorithm). */
function draw(pool: readonly Peer[], asker: Peer, count: number, random: Random): Peer[] {
  const size = pool.length
  const draws = Math.min(size, count + SPARE_DRAWS)
  const places: number[] = []
  for (let top = size - draws; top < size; top++) {
    const at = Math.floor(random() * (top + 1))
    places.push(places.includes(at) ? top : at)
  }
  const chosen: Peer[] = []
  // Floyd's order is not random, its set is: take the spare ones out at random.
  while (places.length > 0 && chosen.length < count) {
    const pick = Math.floor(random() * places.length)
    const at = places[pick]
    const last = places.pop()
    if (pick < places.length && last !== undefined) places[pick] = last
    const peer = at === undefined ? undefined : pool[at]
    if (peer !== undefined && peer !== asker && peer.unanswered < MAX_UNANSWERED_OFFERS) chosen.push(peer)
  }
  return chosen
}
