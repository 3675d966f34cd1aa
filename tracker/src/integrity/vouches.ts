import type { InfoHash, Millis } from '@shoal/protocol'
import { MAX_VOUCHED_KEYS } from '@shoal/protocol'

/** Swarms with vouched keys at most: who announces more of them is not vouched for. */
const MAX_SWARMS = 50_000

/**
 * How long a key counts after its seeder was heard of last, in ms. Longer than a seeder needs to restart
 * or to change nodes: viewers would fall back to checks of their own in between.
 */
export const VOUCH_MS = 600_000

/** Why the tracker takes a key for its own seeder's. */
export type Ground =
  /** The seeder has a join token that says so. */
  | 'token'
  /** The key stands in the configuration. */
  | 'list'
  /** The seeder connects from this machine. */
  | 'loopback'
  /** Another node of the cluster says so. */
  | 'node'

interface Vouch {
  ground: Ground
  until: number
}

/**
 * Keys of the tracker's own seeders, by swarm: what viewers may take for the publisher's word. Whom to
 * believe is decided by the caller; nobody else's key comes in here.
 */
export class Vouches {
  private readonly bySwarm = new Map<InfoHash, Map<string, Vouch>>()
  private readonly texts = new Map<InfoHash, string>()
  private total = 0

  /** Keys that are vouched for now, over all swarms. */
  get size(): number {
    return this.total
  }

  /** A seeder that may is there with this key. @returns true when the key is new in its swarm */
  add(infoHash: InfoHash, key: string, ground: Ground, now: Millis): boolean {
    const vouches = this.bySwarm.get(infoHash) ?? new Map<string, Vouch>()
    const known = vouches.get(key)
    if (known !== undefined) {
      known.until = now + VOUCH_MS
      // What another node says of a key adds nothing to what this one knows by itself.
      if (ground !== 'node') known.ground = ground
      return false
    }
    if (this.bySwarm.size >= MAX_SWARMS && vouches.size === 0) return false
    if (vouches.size >= MAX_VOUCHED_KEYS) return false
    vouches.set(key, { ground, until: now + VOUCH_MS })
    this.bySwarm.set(infoHash, vouches)
    this.total++
    this.write(infoHash, vouches)
    return true
  }

  /** JSON list of a swarm's keys; null for none. */
  listJson(infoHash: InfoHash): string | null {
    return this.texts.get(infoHash) ?? null
  }

  /** Takes back what has this ground. */
  drop(ground: Ground): void {
    this.removeWhere((vouch) => vouch.ground === ground)
  }

  /** Forgets keys whose seeders are gone for long. */
  expire(now: Millis): void {
    this.removeWhere(({ until }) => until <= now)
  }

  private removeWhere(isOver: (vouch: Vouch) => boolean): void {
    for (const [infoHash, vouches] of this.bySwarm) {
      const before = vouches.size
      for (const [key, vouch] of vouches) if (isOver(vouch)) vouches.delete(key)
      if (vouches.size === before) continue
      this.total -= before - vouches.size
      if (vouches.size === 0) this.bySwarm.delete(infoHash)
      this.write(infoHash, vouches)
    }
  }

  private write(infoHash: InfoHash, vouches: ReadonlyMap<string, Vouch>): void {
    if (vouches.size === 0) this.texts.delete(infoHash)
    else this.texts.set(infoHash, JSON.stringify([...vouches.keys()]))
  }
}
