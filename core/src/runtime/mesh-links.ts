import type { IceCandidate, PeerId } from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { PeerLink } from '../ports/link.js'

/** One connection of the mesh, from the offer on. */
export interface MeshLink {
  readonly id: LinkId
  readonly link: PeerLink
  readonly initiator: boolean
  readonly offerId: string
  readonly createdAt: number
  /** Known to an answerer at once, to an offerer when the answer comes. */
  remote: PeerId | null
  /** Our offer's text, until it has been announced. */
  offerSdp: string | null
  /** Candidates that wait: for the answer to our offer, or for the next batch. */
  candidates: IceCandidate[]
  open: boolean
  /** Takes back the timer at work: the offer's end, then the next batch of candidates. */
  cancelTimer: () => void
}
