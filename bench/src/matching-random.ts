import type { Peer } from '../../tracker/dist/swarm/peer.js'
import type { Random } from './matching-swarm.js'

/** Control: any viewers of the swarm, each as likely (Floyd's algorithm). */
export function atRandom(asker: Peer, count: number, random: Random): Peer[] {
  const pool = asker.swarm.viewers
  const size = pool.length
  const places: number[] = []
  for (let top = size - Math.min(size, count + 1); top < size; top++) {
    const at = Math.floor(random() * (top + 1))
    places.push(places.includes(at) ? top : at)
  }
  const chosen: Peer[] = []
  for (const at of places) {
    const peer = pool[at]
    if (peer !== undefined && peer !== asker && chosen.length < count) chosen.push(peer)
  }
  return chosen
}
