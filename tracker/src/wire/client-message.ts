import type {
  AnnounceEvent,
  AnnounceExtension,
  IceCandidate,
  InfoHash,
  PeerId,
  SessionDescription,
} from '@shoal/protocol'
import { isBinaryString20, MAX_SDP_CHARS } from '@shoal/protocol'
import { ExtensionError } from './extension-error.js'
import type { Action } from './message-error.js'
import { MessageError } from './message-error.js'
import { MessageFields } from './message-fields.js'
import type { Target } from './offer.js'
import { Offer, RawJsonString } from './offer.js'
import { scanMessage } from './scan-message.js'
import { readCandidates, readExtension } from './shoal-extension.js'
import type { WireText } from './wire-text.js'
import { wireText } from './wire-text.js'

/**
 * Offers of one announce that are looked at; stock clients send 5, old ones 10. The rest is neither
 * read nor relayed, so that one message cannot reach a whole swarm.
 */
export const MAX_OFFERS_PER_ANNOUNCE = 10

/** Characters of an id or hash. */
const ID_CHARS = 20

/** Info hashes of one scrape at most. A list of 64 is a 2 kB message. */
export const MAX_SCRAPE_HASHES = 64

export interface AnnounceMessage {
  readonly type: 'announce'
  readonly infoHash: InfoHash
  readonly peerId: PeerId
  readonly event: AnnounceEvent
  /** 0 when complete; null when the client does not say, or does not know yet. */
  readonly left: number | null
  readonly offers: readonly Offer[]
  /** Null for stock clients. */
  readonly shoal: AnnounceExtension | null
}

export interface AnswerMessage {
  readonly type: 'answer'
  readonly infoHash: InfoHash
  readonly peerId: PeerId
  readonly toPeerId: PeerId
  readonly offerId: string
  /** The session description's text as a JSON string, quotes included. */
  readonly sdpJson: WireText
}

export interface CandidatesMessage {
  readonly type: 'candidates'
  readonly infoHash: InfoHash
  readonly peerId: PeerId
  readonly toPeerId: PeerId
  readonly offerId: string
  readonly candidates: readonly IceCandidate[]
}

export interface ScrapeMessage {
  readonly type: 'scrape'
  readonly infoHashes: readonly InfoHash[]
}

export type ClientMessage = AnnounceMessage | AnswerMessage | CandidatesMessage | ScrapeMessage

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads one message of a client: the only place where bytes from outside become typed values.
 *
 * Keys that the tracker does not use (`uploaded`, `downloaded`, `numwant`, `trackerid`, unknown ones)
 * are not looked at. `numwant` is one of them because the reference server ignores it too: the
 * number of offers says how many neighbours are wanted.
 *
 * @param data UTF-8 (what is not reads as U+FFFD); valid during the call only
 * @throws MessageError, and nothing else for any bytes
 */
export function readClientMessage(data: Uint8Array): ClientMessage {
  const fields = scanMessage(data) ?? parseObject(data)
  const { action } = fields
  if (action === 'announce') return readAnnounceAction(fields)
  if (action === 'scrape') return readScrape(fields)
  const hash = isBinaryString20(fields.info_hash) ? (fields.info_hash as InfoHash) : null
  throw new MessageError('action: neither announce nor scrape', 'announce', hash)
}

function parseObject(data: Uint8Array): MessageFields {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'))
  } catch {
    throw new MessageError('message: not JSON', 'announce', null)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MessageError('message: not a JSON object', 'announce', null)
  }
  return MessageFields.of(value as Fields)
}

function readAnnounceAction(fields: MessageFields): ClientMessage {
  const infoHash = id20(fields, fields.info_hash, 'info_hash', null) as InfoHash
  const peerId = id20(fields, fields.peer_id, 'peer_id', infoHash) as PeerId
  const { answer, shoal } = fields
  if (answer !== undefined && answer !== null) {
    return {
      type: 'answer',
      infoHash,
      peerId,
      toPeerId: id20(fields, fields.to_peer_id, 'to_peer_id', infoHash) as PeerId,
      offerId: id20(fields, fields.offer_id, 'offer_id', infoHash),
      sdpJson: readSdp(answer, 'answer', 'answer', infoHash),
    }
  }
  if (isObject(shoal) && shoal['candidates'] !== undefined) {
    if (fields.offers !== undefined || fields.offer !== undefined) {
      throw new MessageError('shoal.candidates: not together with offers', 'announce', infoHash)
    }
    return {
      type: 'candidates',
      infoHash,
      peerId,
      toPeerId: id20(fields, fields.to_peer_id, 'to_peer_id', infoHash) as PeerId,
      offerId: id20(fields, fields.offer_id, 'offer_id', infoHash),
      candidates: extension(() => readCandidates(shoal), infoHash),
    }
  }
  return {
    type: 'announce',
    infoHash,
    peerId,
    event: readEvent(fields.event, infoHash),
    left: readLeft(fields.left, infoHash),
    offers: readOffers(fields.offers, infoHash),
    shoal: shoal === undefined ? null : extension(() => readExtension(shoal), infoHash),
  }
}

/** Clients also send `paused`, `empty` and nothing at all: all of them just re-announce. */
function readEvent(value: unknown, infoHash: InfoHash): AnnounceEvent {
  switch (value) {
    case 'started':
    case 'completed':
    case 'stopped':
      return value
    case 'update':
    case 'paused':
    case 'empty':
    case '':
    case null:
    case undefined:
      return 'update'
    default:
      throw new MessageError('event: unknown', 'announce', infoHash)
  }
}

function readLeft(value: unknown, infoHash: InfoHash): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && value >= 0) return value
  throw new MessageError('left: neither null nor a number from 0', 'announce', infoHash)
}

/** The offers of an announce. @throws MessageError */
export function readOffers(value: unknown, infoHash: InfoHash | null): readonly Offer[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new MessageError('offers: not a list', 'announce', infoHash)
  const offers: Offer[] = []
  for (let i = 0; i < value.length && i < MAX_OFFERS_PER_ANNOUNCE; i++) {
    const entry: unknown = value[i]
    if (entry instanceof Offer) {
      offers.push(entry)
      continue
    }
    if (!isObject(entry)) throw new MessageError(`offers[${i}]: not an object`, 'announce', infoHash)
    const offerId = binary20(entry['offer_id'], 'offer_id', infoHash)
    const sdpJson = readSdp(entry['offer'], 'offer', 'offers.offer', infoHash)
    offers.push(
      Offer.of(offerId, sdpJson, readTarget(entry['to_peer_id'], `offers[${i}].to_peer_id`, infoHash)),
    )
  }
  return offers
}

function readTarget(value: unknown, key: string, infoHash: InfoHash | null): Target {
  if (value === undefined) return null
  return value === null ? 'elsewhere' : (binary20(value, key, infoHash) as PeerId)
}

/**
 * The session description's text, passed on unread: stock clients put candidates into it, and some
 * encrypt it. Its size is bounded; receivers validate what they are going to use.
 */
function readSdp(
  value: unknown,
  type: SessionDescription['type'],
  key: string,
  infoHash: InfoHash | null,
): WireText {
  if (value instanceof RawJsonString) return value.json
  const sdp = isObject(value) && value['type'] === type ? value['sdp'] : undefined
  if (typeof sdp !== 'string') {
    throw new MessageError(`${key}: not a session description of type ${type}`, 'announce', infoHash)
  }
  if (sdp.length > MAX_SDP_CHARS) {
    throw new MessageError(`${key}: sdp above ${MAX_SDP_CHARS} characters`, 'announce', infoHash)
  }
  return wireText(JSON.stringify(sdp))
}

/**
 * A scrape without `info_hash` asks for every swarm. It is refused: the list of all info hashes is
 * what people watch here, and its length has no bound.
 */
function readScrape(fields: MessageFields): ScrapeMessage {
  const value = fields.info_hash
  if (value === undefined || value === null) {
    throw new MessageError('info_hash: wanted, full scrapes are not answered', 'scrape', null)
  }
  if (!Array.isArray(value)) {
    return { type: 'scrape', infoHashes: [binary20(value, 'info_hash', null, 'scrape') as InfoHash] }
  }
  if (value.length === 0 || value.length > MAX_SCRAPE_HASHES || !value.every(isBinaryString20)) {
    throw new MessageError(
      `info_hash: not a list of 1 to ${MAX_SCRAPE_HASHES} strings of 20 binary characters`,
      'scrape',
      null,
    )
  }
  return { type: 'scrape', infoHashes: value as unknown[] as InfoHash[] }
}

/** As `binary20`, without a second look at characters that the scanner has seen. */
function id20(fields: MessageFields, value: unknown, key: string, infoHash: InfoHash | null): string {
  if (fields.binary && typeof value === 'string' && value.length === ID_CHARS) return value
  return binary20(value, key, infoHash)
}

function binary20(
  value: unknown,
  key: string,
  infoHash: InfoHash | null,
  action: Action = 'announce',
): string {
  if (!isBinaryString20(value)) {
    throw new MessageError(`${key}: not a string of 20 binary characters`, action, infoHash)
  }
  return value
}

function extension<T>(read: () => T, infoHash: InfoHash): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ExtensionError) throw new MessageError(error.message, 'announce', infoHash)
    throw error
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
