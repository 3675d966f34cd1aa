import type { InfoHash } from '@shoal/protocol'
import type { RefusalCode } from '../admission/refusal.js'

/** Actions of the WebTorrent protocol. */
export type Action = 'announce' | 'scrape'

/**
 * A client's message that is out of form, or that the tracker refuses.
 *
 * It becomes a failure message. Stock clients tear their socket down over a failure without a known
 * `action`, and ignore one whose `info_hash` is not theirs: both travel with the error.
 */
export class MessageError extends Error {
  override readonly name = 'MessageError'
  readonly action: Action
  readonly infoHash: InfoHash | null
  readonly code: RefusalCode

  /** @param reason for the client's log; names the key that is wrong */
  constructor(reason: string, action: Action, infoHash: InfoHash | null, code: RefusalCode = 'bad-message') {
    super(reason)
    this.code = code
    this.action = action
    this.infoHash = infoHash
  }
}
