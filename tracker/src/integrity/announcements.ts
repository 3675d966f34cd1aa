import type { InfoHash, Millis, Verdict } from '@shoal/protocol'
import { MAX_VERDICTS } from '@shoal/protocol'
import type { Peer } from '../swarm/peer.js'
import type { Swarm } from '../swarm/swarm.js'
import { verdictsText } from '../wire/server-message.js'

/** Disputes of one swarm, and swarms with any, that wait to be told; more are left out. */
const MAX_SWARMS = 1000

/**
 * Messages in a second that verdicts for whole swarms may cost: a tenth of what one process sends. A
 * swarm that is larger has its turn, and the next one waits the longer.
 */
const SENDS_PER_SECOND = 10_000

type Disputed = Extract<Verdict, { readonly disputed: true }>

/** Verdicts for all viewers of a swarm: gathered, and sent in turn as fast as the tracker can bear. */
export class Announcements {
  /** Messages sent. */
  sent = 0
  private readonly waiting = new Map<InfoHash, Map<string, Disputed>>()
  private busyUntil = 0

  get size(): number {
    return this.waiting.size
  }

  /** Of two verdicts on a segment the later one counts. @returns false where there is no room */
  add(infoHash: InfoHash, verdict: Disputed): boolean {
    const verdicts = this.waiting.get(infoHash) ?? new Map<string, Disputed>()
    if (verdicts.size >= MAX_VERDICTS && !verdicts.has(verdict.s)) return false
    if (verdicts.size === 0) {
      if (this.waiting.size >= MAX_SWARMS) return false
      this.waiting.set(infoHash, verdicts)
    }
    verdicts.set(verdict.s, verdict)
    return true
  }

  /** Sends what may be sent now. @param swarmOf null for a swarm that has gone */
  flush(swarmOf: (infoHash: InfoHash) => Swarm | undefined, now: Millis): void {
    for (const [infoHash, verdicts] of this.waiting) {
      if (this.busyUntil > now) return
      this.waiting.delete(infoHash)
      const swarm = swarmOf(infoHash)
      if (swarm === undefined) continue
      const text = verdictsText(swarm.hashJson, [...verdicts.values()])
      for (const viewer of swarm.viewers) viewer.session?.outlet.send(text)
      this.sent += swarm.viewers.length
      this.busyUntil = Math.max(this.busyUntil, now) + (swarm.viewers.length / SENDS_PER_SECOND) * 1000
    }
  }
}

/** Sends verdicts to one peer. */
export function tell({ swarm, session }: Peer, verdicts: readonly Verdict[]): void {
  for (let at = 0; at < verdicts.length; at += MAX_VERDICTS) {
    session?.outlet.send(verdictsText(swarm.hashJson, verdicts.slice(at, at + MAX_VERDICTS)))
  }
}
