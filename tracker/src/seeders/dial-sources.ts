import {
  type DialAddress,
  dialAddressText,
  type InfoHash,
  MAX_DIAL_ADDRESSES,
  type PeerId,
} from '@shoal/protocol'
import type { Cidr } from '../admission/addresses.js'
import { isIn, readAddress } from '../admission/addresses.js'
import type { WireText } from '../wire/wire-text.js'
import { wireText } from '../wire/wire-text.js'

/** Addresses of one swarm, and of all, that are remembered. */
const MAX_PER_SWARM = 64
const MAX_TOTAL = 10_000

/** Lowest port: below are the system's own (RFC 6335 section 6), which nobody is to be sent to. */
const MIN_PORT = 1024

/** Whose addresses are told. */
export interface DialPolicy {
  readonly handOut: boolean
  /** Beside a seeder's own address. */
  readonly ranges: readonly Cidr[]
}

/** A seeder is dialled where it speaks from, and nowhere else. */
export const OWN_ADDRESSES: DialPolicy = { handOut: true, ranges: [] }

interface Dials {
  readonly byPeer: Map<PeerId, string>
  /** JSON lists, told in turn; null until they are written. */
  texts: readonly WireText[] | null
  next: number
}

/**
 * Where seeders are dialled without signalling, for viewers to be told. An address is forgotten when its
 * seeder leaves. Each viewer is told others first: they try the first ones.
 */
export class DialSources {
  private readonly policy: DialPolicy
  private readonly bySwarm = new Map<InfoHash, Dials>()
  private total = 0

  constructor(policy: DialPolicy) {
    this.policy = policy
  }

  get size(): number {
    return this.total
  }

  /**
   * A seeder says where it is dialled.
   *
   * @param from the address that it speaks from; null where that is unknown
   */
  announced(infoHash: InfoHash, peerId: PeerId, address: DialAddress, from: string | null): void {
    const text = dialAddressText(address)
    if (this.bySwarm.get(infoHash)?.byPeer.get(peerId) === text) return
    this.left(infoHash, peerId)
    const dials = this.bySwarm.get(infoHash) ?? { byPeer: new Map<PeerId, string>(), texts: null, next: 0 }
    if (this.total >= MAX_TOTAL || dials.byPeer.size >= MAX_PER_SWARM || !this.mayTell(address, from)) return
    dials.byPeer.set(peerId, text)
    dials.texts = null
    this.bySwarm.set(infoHash, dials)
    this.total++
  }

  left(infoHash: InfoHash, peerId: PeerId): void {
    const dials = this.bySwarm.get(infoHash)
    if (dials?.byPeer.delete(peerId) !== true) return
    dials.texts = null
    this.total--
    if (dials.byPeer.size === 0) this.bySwarm.delete(infoHash)
  }

  /** JSON list of what a viewer of this swarm is told; null for nothing. */
  listJson(infoHash: InfoHash): WireText | null {
    const dials = this.bySwarm.get(infoHash)
    if (dials === undefined) return null
    dials.texts ??= listsOf([...new Set(dials.byPeer.values())])
    dials.next = (dials.next + 1) % dials.texts.length
    return dials.texts[dials.next] ?? null
  }

  /** Not names: a stranger could have every viewer look one up. */
  private mayTell({ host, port }: DialAddress, from: string | null): boolean {
    const address = readAddress(host)
    if (!this.policy.handOut || address === null || port < MIN_PORT) return false
    const own = from === null ? null : readAddress(from)
    return own?.toString() === address.toString() || isIn(address, this.policy.ranges)
  }
}

/** One list for each address that begins with it, so that each is told as often as any other. */
function listsOf(texts: readonly string[]): WireText[] {
  const ring = [...texts, ...texts]
  const count = Math.min(MAX_DIAL_ADDRESSES, texts.length)
  return texts.map((_, first) => wireText(JSON.stringify(ring.slice(first, first + count))))
}
