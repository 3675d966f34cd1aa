import type { PartRef } from './low-latency.js'
import type { MediaPlaylist } from './playlist.js'

/** Follows the parts that one media playlist lists. */
export class PartWindow {
  private listed = new Map<string, PartRef>()
  private begun = false

  update({ lowLatency, end }: MediaPlaylist): {
    readonly added: readonly PartRef[]
    readonly left: readonly PartRef[]
  } {
    // At the start players are at the edge: the parts of older segments are of no more use.
    const from = this.begun ? 0 : end - 1
    this.begun = true
    const next = new Map<string, PartRef>()
    for (const part of lowLatency.parts) next.set(`${part.sequence}.${part.part}`, part)
    const added = [...next].filter(([key, { sequence }]) => !this.listed.has(key) && sequence >= from)
    const left = [...this.listed].filter(([key]) => !next.has(key))
    this.listed = next
    return { added: added.map(([, part]) => part), left: left.map(([, part]) => part) }
  }

  /** Forgets all; what was listed. */
  clear(): readonly PartRef[] {
    const left = [...this.listed.values()]
    this.listed = new Map()
    this.begun = false
    return left
  }
}
