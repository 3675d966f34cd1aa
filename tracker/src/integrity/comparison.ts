import type { InfoHash, PeerId } from '@shoal/protocol'
import { Allowance } from './allowance.js'
import type { Outcome, Witness } from './ballot.js'
import { Ballot } from './ballot.js'

/**
 * How long reports of a segment are compared, in ms: several report intervals for live; on demand
 * viewers who come later are compared with those within it.
 */
export const BALLOT_MS = 300_000

/** Segments that are compared at once: of all swarms, of one, and of those that one network began. */
const MAX_BALLOTS = 32_768
const MAX_PER_SWARM = 4096
const MAX_PER_WITNESS = 512

/**
 * Disputes in a minute that a network may be a party to, and that a swarm hears of. An ill origin makes
 * one for each segment; a liar among the fetchers must not send a swarm back to HTTP for good.
 */
const DISPUTES_PER_WITNESS = 6
const DISPUTES_PER_SWARM = 30
const MINUTE_MS = 60_000

/** What one voice did to a segment's votes. */
export interface Heard {
  readonly outcome: Outcome
  /** It was news. */
  readonly changed: boolean
  /** The swarm is to be told: it is disputed now, or more lists are known to be wrong. */
  readonly tell: boolean
  reportersOf(digest: string): Iterable<PeerId>
}

interface Entry {
  readonly ballot: Ballot
  readonly infoHash: InfoHash
  readonly opener: Witness
  readonly until: number
  outcome: Outcome
  told: boolean
  toldWrong: number
}

const NOTHING: Outcome = { agreed: null, disputed: false, wrong: [] }

/** Where reports stand: a swarm, a segment's name and a list digest. */
export interface Place {
  readonly infoHash: InfoHash
  readonly s: string
  readonly h: string
}

/**
 * Compares what fetchers of different networks report of the same segments: a bounded window of ballots,
 * of which each network may begin a bounded number. Time is handed in, in ms.
 */
export class Comparison {
  /** Reports that found no room. */
  dropped = 0
  private readonly networks: number
  /** In order of age. */
  private readonly entries = new Map<string, Entry>()
  private readonly bySwarm = new Map<InfoHash, Set<string>>()
  private readonly byOpener = new Map<Witness, Set<string>>()
  private readonly witnessDisputes = new Allowance<Witness>(DISPUTES_PER_WITNESS, MINUTE_MS)
  private readonly swarmDisputes = new Allowance<InfoHash>(DISPUTES_PER_SWARM, MINUTE_MS)

  /** @param networks that have to agree on a list */
  constructor(networks: number) {
    this.networks = networks
  }

  /** Segments that are compared now. */
  get size(): number {
    return this.entries.size
  }

  /** A peer of a network has loaded this. @param peer null for one of another node @returns null where it found no room */
  loaded(place: Place, witness: Witness, peer: PeerId | null, now: number): Heard | null {
    const entry = this.entry(place, witness, now)
    if (entry === null) return null
    const changed = entry.ballot.vote(place.h, witness, peer)
    return this.heard(entry, changed, now)
  }

  /** A peer of a network found this list wrong. @returns as `loaded` */
  objected(place: Place, witness: Witness, now: number): Heard | null {
    const entry = this.entry(place, witness, now)
    return entry === null ? null : this.heard(entry, entry.ballot.object(place.h, witness), now)
  }

  expire(now: number): void {
    for (const [key, entry] of this.entries) {
      if (entry.until > now) break
      this.remove(key, entry)
    }
    this.witnessDisputes.expire(now)
    this.swarmDisputes.expire(now)
  }

  private heard(entry: Entry, changed: boolean, now: number): Heard {
    const { ballot } = entry
    if (changed) entry.outcome = ballot.outcome(this.networks)
    const { outcome } = entry
    const { wrong, disputed } = outcome
    // What has been called disputed may be settled since: those who were wrong are named then.
    const news = entry.told ? wrong.length > entry.toldWrong : disputed
    const tell = changed && news && this.mayTell(entry, now)
    if (tell) {
      entry.told = true
      entry.toldWrong = wrong.length
    }
    return { outcome, changed, tell, reportersOf: (digest) => ballot.reportersOf(digest) }
  }

  /** Charges a party of each side: no network alone, however often it speaks, disputes everything. */
  private mayTell({ ballot, infoHash, told }: Entry, now: number): boolean {
    if (told) return true
    if (!this.swarmDisputes.has(infoHash, now)) return false
    const parties = new Set<Witness>()
    for (const side of ballot.sides()) {
      const party = side.find((witness) => this.witnessDisputes.has(witness, now))
      if (party === undefined) return false
      parties.add(party)
    }
    for (const party of parties) this.witnessDisputes.spend(party, now)
    this.swarmDisputes.spend(infoHash, now)
    return true
  }

  private entry({ infoHash, s }: Place, opener: Witness, now: number): Entry | null {
    const key = infoHash + s
    const known = this.entries.get(key)
    if (known !== undefined && known.until > now) return known
    if (known !== undefined) this.remove(key, known)
    this.expireFirst(now)
    const opened = this.byOpener.get(opener) ?? new Set()
    if (opened.size >= MAX_PER_WITNESS) this.removeOldest(opened)
    const ofSwarm = this.bySwarm.get(infoHash) ?? new Set()
    // What is reported now is compared now, most often: the newest count.
    if (ofSwarm.size >= MAX_PER_SWARM) this.removeOldest(ofSwarm)
    if (this.entries.size >= MAX_BALLOTS) {
      this.dropped++
      return null
    }
    const entry = {
      ballot: new Ballot(),
      infoHash,
      opener,
      until: now + BALLOT_MS,
      outcome: NOTHING,
      told: false,
      toldWrong: 0,
    }
    this.entries.set(key, entry)
    this.bySwarm.set(infoHash, ofSwarm.add(key))
    this.byOpener.set(opener, opened.add(key))
    return entry
  }

  /** The oldest entries stand first: what is over goes as others come, and not at the next sweep alone. */
  private expireFirst(now: number): void {
    for (const [key, entry] of this.entries) {
      if (entry.until > now) return
      this.remove(key, entry)
    }
  }

  private removeOldest(opened: ReadonlySet<string>): void {
    for (const key of opened) {
      const entry = this.entries.get(key)
      if (entry !== undefined) this.remove(key, entry)
      return
    }
  }

  private remove(key: string, { infoHash, opener }: Entry): void {
    this.entries.delete(key)
    take(this.bySwarm, infoHash, key)
    take(this.byOpener, opener, key)
  }
}

/** Takes a key out of one of several sets, and the set out where it is empty. */
function take<K>(sets: Map<K, Set<string>>, of: K, key: string): void {
  const set = sets.get(of)
  set?.delete(key)
  if (set?.size === 0) sets.delete(of)
}
