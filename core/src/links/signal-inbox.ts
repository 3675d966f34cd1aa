import {
  DecodeError,
  type IceCandidate,
  MAX_CANDIDATES,
  readCandidate,
  readDescription,
  type SessionDescription,
} from '@shoal/protocol'

/** What may now be given to the WebRTC stack, in this order. */
export interface UsableSignals {
  readonly description: SessionDescription | null
  readonly candidates: readonly IceCandidate[]
}

/**
 * Checks the other side's signals before a WebRTC stack sees them: their form, whose turn it is, and
 * how many there are. Candidates that come before the description are kept until it comes; those
 * beyond `MAX_CANDIDATES` are ignored.
 */
export class SignalInbox {
  readonly #expected: 'offer' | 'answer'
  #described = false
  #seen = 0
  #early: IceCandidate[] = []

  constructor(role: 'offerer' | 'answerer') {
    this.#expected = role === 'offerer' ? 'answer' : 'offer'
  }

  /** @throws DecodeError where the signal cannot be used */
  take(signal: unknown): UsableSignals {
    const kind = typeof signal === 'object' && signal !== null && 'kind' in signal ? signal.kind : null
    if (kind === 'candidate') return this.#takeCandidate(readCandidate(signal))
    if (kind === 'description') return this.#takeDescription(readDescription(signal))
    throw new DecodeError('bad-value', 'neither a description nor a candidate')
  }

  #takeCandidate(candidate: IceCandidate): UsableSignals {
    if (++this.#seen > MAX_CANDIDATES) return { description: null, candidates: [] }
    if (this.#described) return { description: null, candidates: [candidate] }
    this.#early.push(candidate)
    return { description: null, candidates: [] }
  }

  #takeDescription(description: SessionDescription): UsableSignals {
    if (this.#described || description.type !== this.#expected) {
      throw new DecodeError('bad-sdp', `${description.type} out of turn`)
    }
    this.#described = true
    const candidates = this.#early
    this.#early = []
    return { description, candidates }
  }
}
