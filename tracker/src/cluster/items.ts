import type { IceCandidate, InfoHash, PeerId, SegmentList } from '@shoal/protocol'
import type { Reporter } from '../integrity/integrity.js'
import type { Place } from '../locality/place.js'
import type { Offer } from '../wire/offer.js'
import type { WireText } from '../wire/wire-text.js'

/** A peer as other nodes see it. */
export interface PeerSketch {
  readonly id: PeerId
  readonly shoal: boolean
  readonly seeder: boolean
  readonly ageSeconds: number
  readonly place: Place
}

/** What one node asks of another. */
export type Item =
  /** Deliver these offers to the best peers of the swarm, one each. */
  | {
      readonly type: 'offers'
      readonly infoHash: InfoHash
      readonly from: PeerSketch
      readonly offers: readonly Offer[]
    }
  | {
      readonly type: 'answer'
      readonly infoHash: InfoHash
      readonly from: PeerSketch
      readonly to: PeerId
      readonly offerId: string
      readonly sdpJson: WireText
    }
  | {
      readonly type: 'candidates'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly to: PeerId
      readonly offerId: string
      readonly candidates: readonly IceCandidate[]
    }
  /** A peer of this network says that `to` passes on wrong data. */
  | {
      readonly type: 'accusation'
      readonly infoHash: InfoHash
      readonly network: string
      readonly to: PeerId
    }
  /** What a peer reports of segments. */
  | {
      readonly type: 'reports'
      readonly infoHash: InfoHash
      readonly from: Reporter
      readonly lists: readonly SegmentList[]
      readonly wrong: readonly SegmentList[]
    }
