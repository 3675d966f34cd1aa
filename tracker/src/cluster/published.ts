import type { InfoHash } from '@shoal/protocol'
import type { NodeCounts } from './counts.js'
import { isNobody, isSame, isTransition, NO_PEERS } from './counts.js'

/** Changes of numbers that only clients' displays depend on wait so long, in ms. */
const COARSE_MS = 1000

/** Changes that wait, while they cannot be told, before those of swarms that came and went are forgotten. */
const MAX_CHANGED = 250_000

/** Changes told in one go. */
const MAX_BATCH = 1000

/** What this node has told the others of its swarms, and what it has not yet. */
export class Published {
  private readonly read: (infoHash: InfoHash) => NodeCounts
  private readonly told = new Map<InfoHash, NodeCounts>()
  private readonly changed = new Set<InfoHash>()
  private coarseAt = 0

  /** @param read the counts as they are now */
  constructor(read: (infoHash: InfoHash) => NodeCounts) {
    this.read = read
  }

  /** Swarms that the others know of. */
  get size(): number {
    return this.told.size
  }

  get hasChanges(): boolean {
    return this.changed.size > 0
  }

  touch(infoHash: InfoHash): void {
    this.changed.add(infoHash)
    if (this.changed.size > MAX_CHANGED) this.prune()
  }

  /** Tells everything again: the others, or Redis, have lost it. */
  touchAll(): void {
    for (const infoHash of this.told.keys()) this.changed.add(infoHash)
    this.told.clear()
  }

  /** A change that was taken did not get out. */
  untold(infoHash: InfoHash): void {
    this.told.delete(infoHash)
    this.changed.add(infoHash)
  }

  /** The changes that are to be told now, up to a bound; they count as told. */
  take(now: number): [InfoHash, NodeCounts][] {
    const coarse = this.coarseAt + COARSE_MS <= now
    if (coarse) this.coarseAt = now
    const entries: [InfoHash, NodeCounts][] = []
    for (const infoHash of this.changed) {
      if (entries.length >= MAX_BATCH) {
        this.coarseAt = 0
        break
      }
      const before = this.told.get(infoHash) ?? NO_PEERS
      const after = this.read(infoHash)
      if (!coarse && !isTransition(before, after)) continue
      this.changed.delete(infoHash)
      if (isSame(before, after) || (isNobody(before) && isNobody(after))) continue
      entries.push([infoHash, after])
      if (isNobody(after)) this.told.delete(infoHash)
      else this.told.set(infoHash, after)
    }
    return entries
  }

  private prune(): void {
    for (const infoHash of this.changed) {
      if (!this.told.has(infoHash) && isNobody(this.read(infoHash))) this.changed.delete(infoHash)
    }
  }
}
