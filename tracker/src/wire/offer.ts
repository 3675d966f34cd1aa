import type { PeerId } from '@shoal/protocol'
import type { WireText } from './wire-text.js'
import { idJson } from './wire-text.js'

/**
 * A JSON string as it stood in a message, quotes included: passed on without being decoded.
 *
 * It is a complete JSON string of printable ASCII, checked escape by escape, so that it cannot end
 * early and bring keys of its own into the message that it is put into.
 */
export class RawJsonString {
  readonly json: WireText

  constructor(json: WireText) {
    this.json = json
  }
}

/** Whom an offer is for: a peer that was named to the offerer, one at another node, or null: the tracker chooses. */
export type Target = PeerId | 'elsewhere' | null

/** An offer of an announce. What is in it has been checked as in `RawJsonString`. */
export class Offer {
  readonly offerId: string
  /** `offer` and `offer_id` as JSON, and a closing brace: the end of a message that begins with other keys. */
  readonly rest: WireText
  readonly target: Target
  private readonly from: number
  private readonly to: number

  /** @param from where the session description's text begins in `rest`, quote included; it ends before `to` */
  constructor(offerId: string, rest: WireText, from: number, to: number, target: Target = null) {
    this.offerId = offerId
    this.rest = rest
    this.target = target
    this.from = from
    this.to = to
  }

  /** @param sdpJson the session description's text as a JSON string, quotes included */
  static of(offerId: string, sdpJson: WireText, target: Target = null): Offer {
    const before = '"offer":{"type":"offer","sdp":'
    const rest = `${before}${sdpJson}},"offer_id":${idJson(offerId)}}` as WireText
    return new Offer(offerId, rest, before.length, before.length + sdpJson.length, target)
  }

  /** The session description's text as a JSON string, quotes included. */
  get sdpJson(): WireText {
    return this.rest.slice(this.from, this.to) as WireText
  }
}
