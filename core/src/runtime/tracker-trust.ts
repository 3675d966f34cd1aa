import {
  bytesOfBase64url,
  type IntegrityReports,
  MAX_REPORTED_LISTS,
  MAX_WRONG_LISTS,
  type ManifestSignature,
  readPublicKey,
  readSegmentName,
  type SegmentId,
  type SegmentList,
  segmentKey,
  type Verdict as TrackerVerdict,
} from '@shoal/protocol'
import type { SegmentVerdict } from '../engine/reported-lists.js'
import type { CryptoPort } from '../ports/digest.js'
import type { Integrity, SwarmOptions } from './swarm-api.js'

/** Replies in a row without the keys of a seeder after which there is none any more. */
const KEYLESS_REPLIES = 3

export interface TrackerTrustEvents {
  /** Another level holds from now on. */
  level(level: Integrity): void
  verdict(verdict: SegmentVerdict): void
}

/** What the tracker says of whose bytes are whose, as far as the options believe it, and what it is told. */
export class TrackerTrust {
  private readonly options: Pick<SwarmOptions, 'integrity' | 'trustsTracker'>
  private readonly crypto: CryptoPort
  private readonly events: TrackerTrustEvents
  /** Keys and attestor of the last reply, as one text. */
  private known = ''
  private keyless = 0
  private signature: ManifestSignature['algorithm'] | null = null
  private lists: SegmentList[] = []
  private wrong: SegmentList[] = []

  constructor(
    options: Pick<SwarmOptions, 'integrity' | 'trustsTracker'>,
    crypto: CryptoPort,
    events: TrackerTrustEvents,
  ) {
    this.options = options
    this.crypto = crypto
    this.events = events
  }

  /** A reply names the keys that the tracker vouches for, and the one with which it signs itself. */
  reply(keys: readonly string[], attestor: string | null): void {
    const { integrity, trustsTracker = false } = this.options
    const auto = integrity === 'auto'
    const vouched = auto || trustsTracker ? keys : []
    const named = integrity === 'attested' ? attestor : null
    if (vouched.length > 0) this.keyless = 0
    // A seeder that starts anew is not gone.
    else if (auto && ++this.keyless < KEYLESS_REPLIES) return
    const text = `${[...vouched].sort()} ${named}`
    if (text === this.known) return
    this.known = text
    this.signature = named === null ? null : (readPublicKey(named)?.algorithm ?? null)
    const usable = this.crypto.vouch?.(
      vouched.flatMap((key) => readPublicKey(key) ?? []),
      named === null ? null : readPublicKey(named),
    )
    if (auto) usable?.then((some) => this.settle(text, some))
  }

  /** What the tracker found by comparing. */
  verdicts(verdicts: readonly TrackerVerdict[]): void {
    for (const verdict of verdicts) {
      const segment = readSegmentName(verdict.s)
      if (segment === null) continue
      if ('disputed' in verdict) {
        this.events.verdict({ type: 'disputed', segment, wrong: verdict.wrong ?? [] })
        continue
      }
      const bytes = verdict.sig === undefined ? null : bytesOfBase64url(verdict.sig)
      if (bytes === null || this.signature === null) continue
      const signature = { algorithm: this.signature, bytes }
      this.events.verdict({ type: 'attested', segment, digest: verdict.h, signature })
    }
  }

  /** To be told in the next announce; the newest where it cannot be all. */
  report(segment: SegmentId, digest: string, wrong: boolean): void {
    const entry = { s: segmentKey(segment), h: digest }
    if (wrong) this.wrong = [...this.wrong, entry].slice(-MAX_WRONG_LISTS)
    else this.lists = [...this.lists, entry].slice(-MAX_REPORTED_LISTS)
  }

  /** What an announce is to tell. */
  get reports(): IntegrityReports {
    const { lists, wrong } = this
    return { ...(lists.length === 0 ? {} : { lists }), ...(wrong.length === 0 ? {} : { wrong }) }
  }

  /** The reports have been sent. */
  told({ lists, wrong }: IntegrityReports): void {
    if (lists === this.lists) this.lists = []
    if (wrong === this.wrong) this.wrong = []
  }

  private settle(text: string, usable: boolean): void {
    // The keys may have changed while they were read.
    if (text === this.known) this.events.level(usable ? 'signed' : 'checked')
  }
}
