import { MAX_CANDIDATES, readCandidate, type Signal } from '@shoal/protocol'

/**
 * Puts what the native library says of this side into the order that the other side expects: the
 * description without candidates, then the candidates, `MAX_CANDIDATES` at most. The library's events
 * have a queue each, so that a candidate can overtake its description.
 */
export class SignalOutbox {
  readonly #emit: (signal: Signal) => void
  #described = false
  #candidates = 0
  #held: Signal[] = []

  constructor(emit: (signal: Signal) => void) {
    this.#emit = emit
  }

  description(sdp: string, type: string): void {
    if (this.#described || (type !== 'offer' && type !== 'answer')) return
    this.#described = true
    // What was gathered by now is told as candidates too.
    const bare = sdp.replace(/^a=(?:candidate:.*|end-of-candidates)\r?\n/gm, '')
    this.#emit({ kind: 'description', type, sdp: bare })
    for (const candidate of this.#held) this.#emit(candidate)
    this.#held = []
  }

  /** @throws DecodeError for a candidate that no other side would take */
  candidate(line: string, sdpMid: string): void {
    if (this.#candidates >= MAX_CANDIDATES) return
    const candidate = line.replace(/^a=/, '')
    const signal: Signal = { kind: 'candidate', ...readCandidate({ candidate, sdpMid, sdpMLineIndex: 0 }) }
    this.#candidates++
    if (this.#described) this.#emit(signal)
    else this.#held.push(signal)
  }
}
