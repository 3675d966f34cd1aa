import { DecodeError, MAX_CANDIDATES, readCandidate, readDescription, type Signal } from '@shoal/protocol'
import {
  addressOfCandidate,
  type MemoryDescription,
  memoryDescription,
  parseMemoryDescription,
} from './memory-signals.js'

/** What one end of a memory link has said and heard through signals: its half of ICE and DTLS. */
export class MemoryHandshake {
  readonly local: MemoryDescription
  readonly #address: string
  #remote: MemoryDescription | null = null
  /** Addresses of the other side's candidates; those that come early are kept. */
  readonly #candidates = new Set<string>()
  #candidatesSeen = 0

  constructor(role: 'offerer' | 'answerer', linkNumber: number, address: string) {
    this.local = memoryDescription(role === 'offerer' ? 'offer' : 'answer', linkNumber)
    this.#address = address
  }

  /** Token of the link that the other side's description names, or null before it came. */
  get remoteToken(): string | null {
    return this.#remote?.token ?? null
  }

  /** @throws DecodeError where the signal cannot be used */
  take(signal: Signal): void {
    if (signal.kind === 'candidate') {
      const candidate = readCandidate(signal)
      if (++this.#candidatesSeen <= MAX_CANDIDATES) this.#candidates.add(addressOfCandidate(candidate))
      return
    }
    const { type, sdp } = readDescription(signal)
    if (type === this.local.type || this.#remote !== null)
      throw new DecodeError('bad-sdp', `${type} out of turn`)
    this.#remote = parseMemoryDescription(type, sdp)
  }

  /**
   * Whether ICE would find a pair with `other`: each has the other's credentials, and one a
   * candidate (the other then learns a peer-reflexive one).
   */
  reaches(other: MemoryHandshake): boolean {
    return (
      this.#trustsIce(other) &&
      other.#trustsIce(this) &&
      (this.#candidates.has(other.#address) || other.#candidates.has(this.#address))
    )
  }

  /** Whether DTLS would find the certificate that this end was promised. */
  verifies(other: MemoryHandshake): boolean {
    return this.#remote?.fingerprint === other.local.fingerprint
  }

  #trustsIce(other: MemoryHandshake): boolean {
    return this.#remote?.token === other.local.token && this.#remote.password === other.local.password
  }
}
