import { CHUNK_BYTES, type Millis } from '@shoal/protocol'
import { LOSSY_BUFFER_HIGH_BYTES } from '../ports/link.js'
import type { UploadState } from '../runtime/swarm-api.js'
import { TokenBucket } from './rates.js'
import { ScavengingRate } from './scavenging-rate.js'

/** Burst of the upload cap, in bytes: one full send buffer. */
const UPLOAD_BURST_BYTES = LOSSY_BUFFER_HIGH_BYTES

export interface UploadLimits {
  /** False: never serve anybody. */
  readonly uploads: boolean
  /** Infinity for none. */
  readonly bytesPerSecond: number
  /** Payload bytes that may ever leave; Infinity for no limit. */
  readonly bytesPerSession: number
}

/**
 * Whether, and how fast, pieces may leave here: what the host allows, the caps, and the room that other
 * traffic leaves on the uplink.
 */
export class UploadPolicy {
  private readonly uploads: boolean
  private readonly bytesPerSession: number
  private readonly cap: TokenBucket
  private readonly bytesPerSecond: number
  readonly scavenging = new ScavengingRate()
  private exhausted: boolean
  private sentBytes = 0
  /** What the host says; see `Swarm.setUploads`. */
  wish: UploadState = 'on'
  /**
   * Until when this viewer leads: it loads a live segment that none of its neighbours had. Then a pause
   * does not count, since all of them would wait for this one.
   */
  leadsUntil = 0

  constructor({ uploads, bytesPerSecond, bytesPerSession }: UploadLimits) {
    this.uploads = uploads
    this.bytesPerSecond = bytesPerSecond
    this.bytesPerSession = bytesPerSession
    this.exhausted = bytesPerSession < CHUNK_BYTES
    this.cap = new TokenBucket(bytesPerSecond, UPLOAD_BURST_BYTES)
  }

  state(now: Millis): UploadState {
    if (!this.uploads || this.exhausted || this.wish === 'off') return 'off'
    return this.wish === 'paused' && now >= this.leadsUntil ? 'paused' : 'on'
  }

  /** The rate that is allowed now, in bytes per second; Infinity where nothing limits it. */
  get rate(): number {
    return Math.min(this.bytesPerSecond, this.scavenging.bytesPerSecond)
  }

  /** Takes leave to send one chunk. Returns 0 where it was given, else the milliseconds to wait. */
  take(now: Millis): number {
    if (this.sentBytes + CHUNK_BYTES > this.bytesPerSession) {
      this.exhausted = true
      return Number.POSITIVE_INFINITY
    }
    const wait = this.scavenging.wait(CHUNK_BYTES, now)
    if (wait > 0) return wait
    if (!this.cap.take(CHUNK_BYTES, now)) return Math.max(1, Math.ceil(this.cap.wait(CHUNK_BYTES)))
    this.scavenging.sent(CHUNK_BYTES, now)
    return 0
  }

  /** A chunk of this payload has left. */
  sent(bytes: number): void {
    this.sentBytes += bytes
  }
}
