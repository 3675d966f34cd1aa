import { type DialAddress, MAX_DIAL_ADDRESSES, readDialAddress } from './dial-address.js'
import { DecodeError } from './errors.js'
import { isBinaryString20 } from './ids.js'
import type { IntegrityReports, Verdict } from './integrity-messages.js'
import { readVerdicts, readVouchedKeys } from './integrity-messages.js'
import { MAX_CANDIDATES, MAX_TRACKER_MESSAGE_CHARS, MAX_WANTED } from './limits.js'
import { isPublicKey } from './public-key.js'
import type { IceCandidate, SessionDescription } from './signals.js'
import { readCandidate, readDescription } from './signals.js'
import type { PeerReport } from './stats.js'
import type { InfoHash, PeerId } from './units.js'

/** Version of the extra keys (`shoal: {...}`) in tracker messages. */
export const TRACKER_EXTENSION_VERSION = 1

export type AnnounceEvent = 'started' | 'update' | 'completed' | 'stopped'

/** One offer of an announce. `offer_id` is a 20-character binary string chosen by the offerer. */
export interface OfferEntry {
  /** Whom it is for, as the tracker has named it (`introduced`); the tracker chooses where it is left out. */
  readonly to_peer_id?: Introduced | undefined
  readonly offer: SessionDescription
  readonly offer_id: string
}

/** Whom a tracker introduces: a peer by its id, or one that another node of its cluster will choose. */
export type Introduced = PeerId | null

/** How a peer's NAT maps ports: `cone` one for all destinations, `symmetric` one for each (RFC 4787). */
export type NatType = 'open' | 'cone' | 'symmetric' | 'unknown'

/**
 * What a peer tells of itself so that the tracker finds neighbours for it (docs/matching.md). Every
 * field may be left out; one that an announce leaves out stays what it was.
 */
export interface MatchingHints {
  /** Uplink as measured, in bytes per second. */
  readonly uplink?: number
  /** Serves others. */
  readonly uploads?: boolean
  /** Connections that it would still accept. */
  readonly slots?: number
  /** Live: seconds behind the live edge. VOD: position in seconds. */
  readonly playhead?: number
  readonly nat?: NatType
  /** Connections that are open now. */
  readonly degree?: number
  /** Length of its upload queue, in ms. */
  readonly backlog?: number
  /** Connections that opened since it joined. */
  readonly ok?: number
  /** Connections that failed to open since it joined. */
  readonly failed?: number
}

/** Furthest playhead that an announce may tell, in seconds: a year of a stream that never ends. */
export const MAX_PLAYHEAD_SECONDS = 31_536_000

/** Our extra keys in an announce. */
export interface AnnounceExtension extends MatchingHints, IntegrityReports {
  readonly v: typeof TRACKER_EXTENSION_VERSION
  readonly role: 'viewer' | 'seeder'
  /** Join token, where the tracker wants one (docs/operating-the-tracker.md): at most 2048 characters. */
  readonly token?: string
  /** Peers of this swarm that sent data that is not the manifest's: at most 4. */
  readonly accuse?: readonly PeerId[]
  /** Where a seeder serves its playlist by HTTP: an http or https URL of at most 512 characters. */
  readonly http?: string
  /** Where a seeder is dialled without signalling, as text (`dialAddressText`). */
  readonly dial?: string
  readonly report?: PeerReport
  /** How many peers the tracker is to name, so that offers are made for these: 1 to `MAX_WANTED`. */
  readonly want?: number | undefined
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

/** Costliest traffic between two peers (`cost` of a relayed offer or answer); 0 is the same site. */
export const MAX_COST = 100

/** Age from which on a tracker tells no more of it, in seconds: a day. */
export const MAX_AGE_SECONDS = 86_400

/** HTTP addresses of seeders in a reply at most, and the longest, in characters. */
export const MAX_SEEDER_URLS = 4
export const MAX_SEEDER_URL_CHARS = 512

/** What a tracker tells with an offer or an answer about the peer that it comes from. */
export interface Introduction {
  /**
   * Opaque cost of traffic between the two, 0 to `MAX_COST`, lower is cheaper, 50 where the tracker
   * knows nothing; null where it tells none.
   */
  readonly cost: number | null
  /** Whole seconds since the peer joined, up to `MAX_AGE_SECONDS`; null where the tracker tells none. */
  readonly ageSeconds: number | null
}

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
      /** Viewers that serve others; null where the tracker does not count them. */
      readonly eligible: number | null
      /** Median of their uplinks in bytes per second, 0 while none is known; null as above. */
      readonly medianUplink: number | null
      /** Playlists at seeders that answer by HTTP, for when the origin does not; at most 4. */
      readonly seederUrls: readonly string[]
      /** Where seeders are dialled without signalling; at most `MAX_DIAL_ADDRESSES`. */
      readonly dials: readonly DialAddress[]
      /** Public keys of seeders that the tracker vouches for, base64url; at most 8. */
      readonly keys: readonly string[]
      /** Public key with which the tracker signs what fetchers agree on; null where it does not. */
      readonly attestor: string | null
      /** Whom an offer each may go to, `MAX_WANTED` at most; null where the tracker does not say. */
      readonly introduced: readonly Introduced[] | null
    }
  | {
      readonly type: 'verdicts'
      readonly infoHash: InfoHash
      /** 1 to 32 of them. */
      readonly verdicts: readonly Verdict[]
    }
  | ({
      readonly type: 'offer'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly offer: SessionDescription
    } & Introduction)
  | ({
      readonly type: 'answer'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly answer: SessionDescription
    } & Introduction)
  | {
      readonly type: 'candidates'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly offerId: string
      readonly candidates: readonly IceCandidate[]
    }
  | {
      readonly type: 'failure'
      readonly infoHash: InfoHash | null
      readonly reason: string
      /** Stable name of the reason (docs/protocol.md); null where the tracker gives none. */
      readonly code: string | null
    }

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
    const { code } = fields
    const named = typeof code === 'string' && /^[a-z][a-z-]{0,39}$/.test(code)
    return { type: 'failure', infoHash, reason: failure.slice(0, 300), code: named ? code : null }
  }
  if (fields.action !== 'announce') throw new DecodeError('bad-value', 'not an announce')
  const infoHash = binary20(fields.info_hash, 'info_hash') as InfoHash
  if (fields.peer_id === undefined) {
    return carriesVerdicts(fields)
      ? { type: 'verdicts', infoHash, verdicts: readVerdicts(known(fields.shoal).verdicts) }
      : readReply(fields, infoHash)
  }
  const from = binary20(fields.peer_id, 'peer_id') as PeerId
  const offerId = binary20(fields.offer_id, 'offer_id')
  const { offer, answer, shoal } = fields
  if (offer !== undefined) {
    return {
      type: 'offer',
      infoHash,
      from,
      offerId,
      offer: described(offer, 'offer'),
      ...introduction(shoal),
    }
  }
  if (answer !== undefined) {
    const description = described(answer, 'answer')
    return { type: 'answer', infoHash, from, offerId, answer: description, ...introduction(shoal) }
  }
  return { type: 'candidates', infoHash, from, offerId, candidates: readCandidates(shoal) }
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
  const { complete, incomplete, shoal } = fields
  const ours = known(shoal)
  const { report_interval: seconds } = ours
  return {
    type: 'reply',
    infoHash,
    interval,
    complete: count(complete),
    incomplete: count(incomplete),
    reportInterval: typeof seconds === 'number' && seconds >= 1 && seconds <= 3600 ? seconds : null,
    eligible: whole(ours.eligible, Number.MAX_SAFE_INTEGER),
    medianUplink: whole(ours.median_uplink, Number.MAX_SAFE_INTEGER),
    seederUrls: readUrls(ours.http),
    keys: readVouchedKeys(ours.keys),
    attestor: isPublicKey(ours.attestor) ? ours.attestor : null,
    dials: readDials(ours.dial),
    introduced: readIntroduced(ours.introduced),
  }
}

/** Verdicts come in a message of their own, which has no interval, as every reply has. */
function carriesVerdicts({ interval, shoal }: Fields): boolean {
  return interval === undefined && known(shoal).verdicts !== undefined
}

/** Says less where it is out of form: neighbours are worth more than what is told of them. */
function introduction(extension: unknown): Introduction {
  const { cost, age } = known(extension)
  return { cost: whole(cost, MAX_COST), ageSeconds: whole(age, MAX_AGE_SECONDS) }
}

/** The fields of our key; none where it is missing or of a version that we do not know: a stock tracker's. */
function known(extension: unknown): Fields {
  if (typeof extension !== 'object' || extension === null) return {}
  const fields = extension as Fields
  return fields.v === TRACKER_EXTENSION_VERSION ? fields : {}
}

function readUrls(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list
    .slice(0, MAX_SEEDER_URLS)
    .filter(
      (url: unknown): url is string =>
        typeof url === 'string' && url.length <= MAX_SEEDER_URL_CHARS && /^https?:\/\/[^/]/.test(url),
    )
}

/** Those that are in form: what is told besides is worth a reply. */
function readDials(list: unknown): DialAddress[] {
  if (!Array.isArray(list)) return []
  return list.slice(0, MAX_DIAL_ADDRESSES).flatMap((text: unknown) => {
    try {
      return [readDialAddress(text)]
    } catch {
      return []
    }
  })
}

function readIntroduced(list: unknown): Introduced[] | null {
  if (!Array.isArray(list)) return null
  return list
    .slice(0, MAX_WANTED)
    .filter((entry: unknown): entry is Introduced => entry === null || isBinaryString20(entry))
}

function whole(value: unknown, max: number): number | null {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
    ? (value as number)
    : null
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
