import { DecodeError } from './errors.js'
import { isBinaryString20 } from './ids.js'
import { MAX_CANDIDATES, MAX_TRACKER_MESSAGE_CHARS } from './limits.js'
import type { IceCandidate, SessionDescription } from './signals.js'
import { readCandidate, readDescription } from './signals.js'
import type { PeerReport } from './stats.js'
import type { InfoHash, PeerId } from './units.js'

/** Version of the extra keys (`shoal: {...}`) in tracker messages. */
export const TRACKER_EXTENSION_VERSION = 1

export type AnnounceEvent = 'started' | 'update' | 'completed' | 'stopped'

/** One offer of an announce. `offer_id` is a 20-character binary string chosen by the offerer. */
export interface OfferEntry {
  readonly offer: SessionDescription
  readonly offer_id: string
}

/** Our extra keys in an announce. */
export interface AnnounceExtension {
  readonly v: typeof TRACKER_EXTENSION_VERSION
  readonly role: 'viewer' | 'seeder'
  readonly report?: PeerReport
  /** A seeder's name for the title, for the dashboard: at most 80 characters. */
  readonly name?: string
}

/** Announce as our clients send it: the WebTorrent protocol's keys and one of ours. */
export interface Announce {
  readonly action: 'announce'
  readonly info_hash: InfoHash
  readonly peer_id: PeerId
  readonly event?: AnnounceEvent
  readonly numwant: number
  readonly uploaded: number
  readonly downloaded: number
  readonly left: number
  readonly shoal: AnnounceExtension
  readonly offers?: readonly OfferEntry[]
}

/** Answer to a relayed offer. */
export interface AnswerAnnounce {
  readonly action: 'announce'
  readonly info_hash: InfoHash
  readonly peer_id: PeerId
  readonly to_peer_id: PeerId
  readonly answer: SessionDescription
  readonly offer_id: string
}

/** Candidates for the connection that `offer_id` began, either way. */
export interface CandidateAnnounce {
  readonly action: 'announce'
  readonly info_hash: InfoHash
  readonly peer_id: PeerId
  readonly to_peer_id: PeerId
  readonly offer_id: string
  readonly shoal: {
    readonly v: typeof TRACKER_EXTENSION_VERSION
    readonly candidates: readonly IceCandidate[]
  }
}

/** What our clients send to a tracker. */
export type ClientMessage = Announce | AnswerAnnounce | CandidateAnnounce

/** What a tracker sends to our clients, decoded. Times in seconds. */
export type TrackerMessage =
  | {
      readonly type: 'reply'
      readonly infoHash: InfoHash
      readonly interval: number
      readonly complete: number
      readonly incomplete: number
      /** Seconds between two reports; null where the tracker takes none (not a Shoal tracker). */
      readonly reportInterval: number | null
    }
  | {
      readonly type: 'offer'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly offer: SessionDescription
    }
  | {
      readonly type: 'answer'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly answer: SessionDescription
    }
  | {
      readonly type: 'candidates'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly candidates: readonly IceCandidate[]
    }
  | { readonly type: 'failure'; readonly infoHash: InfoHash | null; readonly reason: string }

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads one message of a tracker. Answers to scrape and unknown actions are not for our clients.
 *
 * @throws DecodeError (`too-large`, `bad-json`, `bad-value`, `unknown-version`, `bad-sdp`, `bad-candidate`)
 */
export function readTrackerMessage(text: string): TrackerMessage {
  if (text.length > MAX_TRACKER_MESSAGE_CHARS) {
    throw new DecodeError('too-large', `${text.length} characters of a tracker`)
  }
  const fields = parseObject(text)
  const failure = fields['failure reason']
  if (typeof failure === 'string') {
    const hash = fields.info_hash
    const infoHash = isBinaryString20(hash) ? (hash as InfoHash) : null
    return { type: 'failure', infoHash, reason: failure.slice(0, 300) }
  }
  if (fields.action !== 'announce') throw new DecodeError('bad-value', 'not an announce')
  const infoHash = binary20(fields.info_hash, 'info_hash') as InfoHash
  if (fields.peer_id === undefined) return readReply(fields, infoHash)
  const from = binary20(fields.peer_id, 'peer_id') as PeerId
  const offerId = binary20(fields.offer_id, 'offer_id')
  if (fields.offer !== undefined) {
    return { type: 'offer', infoHash, from, offerId, offer: described(fields.offer, 'offer') }
  }
  if (fields.answer !== undefined) {
    return { type: 'answer', infoHash, from, offerId, answer: described(fields.answer, 'answer') }
  }
  return { type: 'candidates', infoHash, from, offerId, candidates: readCandidates(fields.shoal) }
}

function parseObject(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new DecodeError('bad-json', 'not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError('bad-json', 'not an object')
  }
  return value as Fields
}

function binary20(value: unknown, key: string): string {
  if (!isBinaryString20(value)) throw new DecodeError('bad-value', `${key} is not 20 binary characters`)
  return value
}

function described(value: unknown, type: SessionDescription['type']): SessionDescription {
  const description = readDescription(value)
  if (description.type !== type) throw new DecodeError('bad-sdp', `an ${type} is wanted`)
  return description
}

/** A number of peers; what is none counts as 0, since nothing but a display depends on it. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

function readReply(fields: Fields, infoHash: InfoHash): TrackerMessage {
  const interval = fields.interval
  if (typeof interval !== 'number' || !(interval >= 1 && interval <= 86_400)) {
    throw new DecodeError('bad-value', 'interval')
  }
  const { complete, incomplete } = fields
  return {
    type: 'reply',
    infoHash,
    interval,
    complete: count(complete),
    incomplete: count(incomplete),
    reportInterval: readReportInterval(fields.shoal),
  }
}

/** A reply without our key, or with a version of it that we do not know, is a stock tracker's. */
function readReportInterval(extension: unknown): number | null {
  if (typeof extension !== 'object' || extension === null) return null
  const { v, report_interval: seconds } = extension as Fields
  if (v !== TRACKER_EXTENSION_VERSION || typeof seconds !== 'number') return null
  return seconds >= 1 && seconds <= 3600 ? seconds : null
}

function readCandidates(extension: unknown): IceCandidate[] {
  if (typeof extension !== 'object' || extension === null) throw new DecodeError('bad-value', 'no candidates')
  const { v, candidates: list } = extension as Fields
  if (v !== TRACKER_EXTENSION_VERSION) throw new DecodeError('unknown-version', 'candidates')
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CANDIDATES) {
    throw new DecodeError('bad-value', 'candidates')
  }
  return list.map((candidate) => readCandidate(candidate))
}
