import type { Reply } from './seeder-messages.js'

type SignalReply = Extract<Reply, { type: 'signal' }>

/** Keeps an offerer's candidates until the answer has passed (docs/protocol.md, "Tracker messages"). */
export class HeldCandidates {
  /** By end; null once its answer has passed. */
  private readonly held = new Map<number, SignalReply[] | null>()

  /** What may be told now of the offerer's signals. */
  offerers(reply: SignalReply): SignalReply[] {
    if (reply.signal.kind === 'description') return [reply]
    const held = this.held.get(reply.end)
    if (held === null) return [reply]
    this.held.set(reply.end, [...(held ?? []), reply])
    return []
  }

  /** What waited for this signal of the answerer. */
  answered(reply: SignalReply): SignalReply[] {
    if (reply.signal.kind !== 'description') return []
    const held = this.held.get(reply.end) ?? []
    this.held.set(reply.end, null)
    return held
  }
}
