import {
  type ClientMessage,
  type IceCandidate,
  type Introduction,
  MAX_CANDIDATES,
  millis,
  type PeerId,
  type SessionDescription,
  type Signal,
  TRACKER_EXTENSION_VERSION,
} from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import { isUnanswered, type MeshLink, type MeshLinks } from './mesh-links.js'
import type { SwarmOptions } from './swarm-api.js'

/** Candidates found within this time travel in one message. */
const CANDIDATE_BATCH_MS = 20

/** Carries descriptions and candidates between our connections and their other ends. */
export class MeshSignalling {
  private readonly options: Pick<SwarmOptions, 'swarmId' | 'peerId'>
  private readonly clock: Clock
  private readonly links: MeshLinks
  private readonly send: (message: ClientMessage) => void

  /** @param send queues a message for the tracker */
  constructor(
    options: Pick<SwarmOptions, 'swarmId' | 'peerId'>,
    clock: Clock,
    links: MeshLinks,
    send: (message: ClientMessage) => void,
  ) {
    this.options = options
    this.clock = clock
    this.links = links
    this.send = send
  }

  /** Takes up a stranger's offer. */
  answer(from: PeerId, offerId: string, offer: SessionDescription, introduction: Introduction): void {
    const entry = this.links.create(offerId, from)
    entry.introduction = introduction
    entry.link.signal({ kind: 'description', ...offer })
  }

  /** Somebody has taken up our offer. */
  answered(entry: MeshLink, from: PeerId, answer: SessionDescription, introduction: Introduction): void {
    entry.remote = from
    entry.introduction = introduction
    entry.cancelTimer()
    entry.link.signal({ kind: 'description', ...answer })
    this.sendCandidates(entry)
  }

  remoteCandidates(from: PeerId, offerId: string, candidates: readonly IceCandidate[]): void {
    const entry = this.links.byOffer(offerId)
    if (entry === null || entry.remote !== from) return
    for (const candidate of candidates) entry.link.signal({ kind: 'candidate', ...candidate })
  }

  /** A signal of ours for the other end. An offer's text waits for the announce that carries it. */
  localSignal(entry: MeshLink, signal: Signal): void {
    if (signal.kind === 'candidate') this.localCandidate(entry, signal)
    else if (signal.type === 'offer') entry.offerSdp = signal.sdp
    else if (entry.remote !== null) {
      this.send({
        action: 'announce',
        info_hash: this.options.swarmId.infoHash,
        peer_id: this.options.peerId,
        to_peer_id: entry.remote,
        answer: { type: 'answer', sdp: signal.sdp },
        offer_id: entry.offerId,
      })
    }
  }

  private localCandidate(entry: MeshLink, { candidate, sdpMid, sdpMLineIndex }: IceCandidate): void {
    if (entry.candidates.length >= MAX_CANDIDATES) return
    entry.candidates.push({ candidate, sdpMid, sdpMLineIndex })
    // An offerer knows whom to send them to only when the answer comes.
    if (entry.candidates.length > 1 || isUnanswered(entry)) return
    entry.cancelTimer = this.clock.setTimer(millis(CANDIDATE_BATCH_MS), () => this.sendCandidates(entry))
  }

  private sendCandidates(entry: MeshLink): void {
    if (entry.remote === null || entry.candidates.length === 0) return
    this.send({
      action: 'announce',
      info_hash: this.options.swarmId.infoHash,
      peer_id: this.options.peerId,
      to_peer_id: entry.remote,
      offer_id: entry.offerId,
      shoal: { v: TRACKER_EXTENSION_VERSION, candidates: entry.candidates },
    })
    entry.candidates = []
  }
}
