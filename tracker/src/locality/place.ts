/**
 * Where an address is, as opaque numbers: two are compared, none is told to anybody. 0 is unknown.
 *
 * All are 32-bit integers: they are read for every candidate of every announce, and V8 keeps such
 * numbers without a box.
 */
export interface Place {
  /** The public IPv4 address, or the /64 of an IPv6 address: one household, office or campus. */
  readonly site: number
  /** Network and metropolitan area, or else the /24 or /48. */
  readonly local: number
  /** The autonomous system (the internet provider), the PID of a network map, or the /16 or /32. */
  readonly network: number
  readonly country: number
  readonly continent: number
  /** The PID of an ALTO network map, whose cost map then goes before everything but the site. */
  readonly pid: number
  /** A source knows the network; otherwise `local` and `network` are a guess from the prefix. */
  readonly known: boolean
}

export const UNKNOWN_PLACE: Place = {
  site: 0,
  local: 0,
  network: 0,
  country: 0,
  continent: 0,
  pid: 0,
  known: false,
}

/** Where nothing is known of the two. */
export const UNKNOWN_COST = 50

/**
 * Cost of traffic between two places, 0 to 100: what the score of `docs/matching.md` calls locality,
 * turned round. Same site 0, same provider and city 20, same provider 40, same country 65, same
 * continent 90, else 100.
 */
export function ladderCost(a: Place, b: Place): number {
  if (a.site === b.site && a.site !== 0) return 0
  if (a.local === b.local && a.local !== 0) return 20
  if (a.network === b.network && a.network !== 0) return 40
  if (a.country !== 0 && b.country !== 0) {
    if (a.country === b.country) return 65
    return a.continent === b.continent && a.continent !== 0 ? 90 : 100
  }
  if (a.continent !== 0 && b.continent !== 0 && a.continent !== b.continent) return 100
  // Two providers of which nobody says where they are: half-way between "same country" and "far".
  return a.known && b.known ? 80 : UNKNOWN_COST
}

/** What the tracker asks of whoever knows where addresses are. */
export interface Locality {
  /** Grows when what is known has changed, so that places are to be asked for again; from 1. */
  readonly version: number
  /** Where an address is; `UNKNOWN_PLACE` for what is no address. Never throws. */
  placeOf(address: string): Place
  /** Cost of traffic between two places: an integer from 0 to 100 (`MAX_COST`). */
  cost(a: Place, b: Place): number
}

/** For a tracker that is told no addresses: everybody is equally far. */
export const NO_LOCALITY: Locality = { version: 1, placeOf: () => UNKNOWN_PLACE, cost: ladderCost }
