import type { IceCandidate, InfoHash, PeerId, SegmentList, Verdict } from '@shoal/protocol'
import {
  isBinaryString20,
  MAX_CANDIDATES,
  MAX_REPORTED_LISTS,
  MAX_SDP_CHARS,
  MAX_WRONG_LISTS,
  readAnnouncedKeys,
  readCandidate,
  readSegmentLists,
  readVerdicts,
} from '@shoal/protocol'
import type { Reporter } from '../integrity/integrity.js'
import type { Place } from '../locality/place.js'
import { MAX_OFFERS_PER_ANNOUNCE } from '../wire/client-message.js'
import { Offer } from '../wire/offer.js'
import { readStringJson } from '../wire/string-json.js'
import type { WireText } from '../wire/wire-text.js'
import type { NodeId } from './bus.js'
import type { NodeCounts } from './counts.js'
import { readCounts } from './counts.js'
import { packer, unpacked } from './packer.js'

/** Version of what nodes say to each other; nodes of different versions do not hear each other. */
const VERSION = 1

/** Largest frame taken from the bus, in bytes. */
export const MAX_FRAME_BYTES = 1024 * 1024

/** Entries of one frame at most. */
const MAX_ENTRIES = 4096

/** A peer as other nodes see it. */
export interface PeerSketch {
  readonly id: PeerId
  readonly shoal: boolean
  readonly seeder: boolean
  readonly ageSeconds: number
  readonly place: Place
}

/** What one node asks of another. */
export type Item =
  /** Deliver these offers to the best peers of the swarm, one each. */
  | {
      readonly type: 'offers'
      readonly infoHash: InfoHash
      readonly from: PeerSketch
      readonly offers: readonly Offer[]
    }
  | {
      readonly type: 'answer'
      readonly infoHash: InfoHash
      readonly from: PeerSketch
      readonly to: PeerId
      readonly offerId: string
      readonly sdpJson: WireText
    }
  | {
      readonly type: 'candidates'
      readonly infoHash: InfoHash
      readonly from: PeerId
      readonly to: PeerId
      readonly offerId: string
      readonly candidates: readonly IceCandidate[]
    }
  /** A peer of this network says that `to` passes on wrong data. */
  | {
      readonly type: 'accusation'
      readonly infoHash: InfoHash
      readonly network: string
      readonly to: PeerId
    }
  /** What a peer reports of segments. */
  | {
      readonly type: 'reports'
      readonly infoHash: InfoHash
      readonly from: Reporter
      readonly lists: readonly SegmentList[]
      readonly wrong: readonly SegmentList[]
    }

/** What a node tells all others. */
export type News =
  /** It lives; its counts have been told up to this number. `ask`: the others shall say so too. */
  | { readonly type: 'beat'; readonly node: NodeId; readonly serial: number; readonly ask: boolean }
  | {
      readonly type: 'counts'
      readonly node: NodeId
      readonly serial: number
      readonly entries: readonly (readonly [InfoHash, NodeCounts])[]
    }
  | { readonly type: 'bye'; readonly node: NodeId }
  /** It has banned an address from a swarm. */
  | { readonly type: 'ban'; readonly node: NodeId; readonly infoHash: InfoHash; readonly address: string }
  | IntegrityNews

/** What concerns the swarm's viewers at every node. */
export type IntegrityNews =
  /** Keys of own seeders. */
  | {
      readonly type: 'vouched'
      readonly node: NodeId
      readonly infoHash: InfoHash
      readonly keys: readonly string[]
    }
  /** A verdict for all viewers. */
  | {
      readonly type: 'disputed'
      readonly node: NodeId
      readonly infoHash: InfoHash
      readonly verdict: Verdict
    }

const ITEM = { offers: 0, answer: 1, candidates: 2, accusation: 3, reports: 4 } as const
const NEWS = { beat: 0, counts: 1, bye: 2, vouched: 3, disputed: 4, ban: 5 } as const

/** Longest address or network as admission writes them, in characters. */
const MAX_ADDRESS_CHARS = 64

export function packItems(from: NodeId, serial: number, items: readonly Item[]): Uint8Array {
  return packer.pack([VERSION, from, serial, items.map(itemFields)])
}

export interface ItemFrame {
  readonly from: NodeId
  /** Grows with the sender's frames: one that comes twice is seen by it. */
  readonly serial: number
  readonly items: readonly Item[]
  /** Items out of form. */
  readonly rejected: number
}

/** Null for what is no frame of this version. */
export function readItems(bytes: Uint8Array): ItemFrame | null {
  const fields = frameFields(bytes)
  if (fields === null) return null
  const [, from, serial, list] = fields
  if (!isNodeId(from) || !isWhole(serial) || !Array.isArray(list) || list.length > MAX_ENTRIES) return null
  const items = list.map(readItem).filter((item) => item !== null)
  return { from, serial, items, rejected: list.length - items.length }
}

export function packNews(news: News): Uint8Array {
  switch (news.type) {
    case 'beat':
      return packer.pack([VERSION, news.node, NEWS.beat, news.serial, news.ask])
    case 'counts':
      return packer.pack([VERSION, news.node, NEWS.counts, news.serial, news.entries.map(entryFields)])
    case 'bye':
      return packer.pack([VERSION, news.node, NEWS.bye])
    case 'vouched':
      return packer.pack([VERSION, news.node, NEWS.vouched, news.infoHash, news.keys])
    case 'disputed':
      return packer.pack([VERSION, news.node, NEWS.disputed, news.infoHash, news.verdict])
    case 'ban':
      return packer.pack([VERSION, news.node, NEWS.ban, news.infoHash, news.address])
  }
}

/** Null for what is no news of this version. */
export function readNews(bytes: Uint8Array): News | null {
  const fields = frameFields(bytes)
  if (fields === null) return null
  const [, node, kind, serial, more] = fields
  if (!isNodeId(node)) return null
  if (kind === NEWS.bye) return { type: 'bye', node }
  if (kind === NEWS.vouched || kind === NEWS.disputed) return readIntegrityNews(node, kind, serial, more)
  if (kind === NEWS.ban) {
    if (!isBinaryString20(serial) || !isAddress(more)) return null
    return { type: 'ban', node, infoHash: serial as InfoHash, address: more }
  }
  if (!isWhole(serial)) return null
  if (kind === NEWS.beat) return { type: 'beat', node, serial, ask: more === true }
  if (kind !== NEWS.counts || !Array.isArray(more) || more.length > MAX_ENTRIES) return null
  const entries: (readonly [InfoHash, NodeCounts])[] = []
  for (const entry of more as unknown[]) {
    if (!Array.isArray(entry) || !isBinaryString20(entry[0])) return null
    const counts = readCounts(entry.slice(1))
    if (counts === null) return null
    entries.push([entry[0] as InfoHash, counts])
  }
  return { type: 'counts', node, serial, entries }
}

function readIntegrityNews(
  node: NodeId,
  kind: typeof NEWS.vouched | typeof NEWS.disputed,
  hash: unknown,
  value: unknown,
): IntegrityNews | null {
  if (!isBinaryString20(hash)) return null
  const infoHash = hash as InfoHash
  if (kind === NEWS.vouched) {
    const keys = readAnnouncedKeys(value)
    return keys === null ? null : { type: 'vouched', node, infoHash, keys }
  }
  try {
    const [verdict] = readVerdicts([value])
    return verdict === undefined ? null : { type: 'disputed', node, infoHash, verdict }
  } catch {
    return null
  }
}

function frameFields(bytes: Uint8Array): unknown[] | null {
  if (bytes.byteLength > MAX_FRAME_BYTES) return null
  const fields = unpacked(bytes)
  return Array.isArray(fields) && fields[0] === VERSION ? fields : null
}

function entryFields([infoHash, counts]: readonly [InfoHash, NodeCounts]): unknown[] {
  const { viewers, seeders, otherLeechers, otherSeeders, downloaded } = counts
  return [infoHash, viewers, seeders, otherLeechers, otherSeeders, downloaded]
}

function itemFields(item: Item): unknown[] {
  switch (item.type) {
    case 'offers': {
      const offers = item.offers.map(({ offerId, sdpJson }) => [offerId, sdpJson])
      return [ITEM.offers, item.infoHash, sketchFields(item.from), offers]
    }
    case 'answer':
      return [ITEM.answer, item.infoHash, sketchFields(item.from), item.to, item.offerId, item.sdpJson]
    case 'candidates':
      return [ITEM.candidates, item.infoHash, item.from, item.to, item.offerId, item.candidates]
    case 'accusation':
      return [ITEM.accusation, item.infoHash, item.network, item.to]
    case 'reports': {
      const { witness, network } = item.from
      return [ITEM.reports, item.infoHash, witness, network, item.lists, item.wrong]
    }
  }
}

function readItem(value: unknown): Item | null {
  if (!Array.isArray(value) || !isBinaryString20(value[1])) return null
  const infoHash = value[1] as InfoHash
  if (value[0] === ITEM.offers) return readOffers(infoHash, value[2], value[3])
  if (value[0] === ITEM.answer) return readAnswer(infoHash, value.slice(2))
  if (value[0] === ITEM.candidates) return readCandidates(infoHash, value.slice(2))
  if (value[0] === ITEM.reports) return readReports(infoHash, value.slice(2))
  if (value[0] === ITEM.accusation) {
    const [, , network, to] = value as unknown[]
    if (!isAddress(network) || !isBinaryString20(to)) return null
    return { type: 'accusation', infoHash, network, to: to as PeerId }
  }
  return null
}

function readOffers(infoHash: InfoHash, sketch: unknown, list: unknown): Item | null {
  const from = readSketch(sketch)
  if (from === null || !Array.isArray(list) || list.length > MAX_OFFERS_PER_ANNOUNCE) return null
  const offers: Offer[] = []
  for (const entry of list as unknown[]) {
    if (!Array.isArray(entry) || !isBinaryString20(entry[0])) return null
    const sdpJson = readStringJson(entry[1], MAX_SDP_CHARS)
    if (sdpJson === null) return null
    offers.push(Offer.of(entry[0], sdpJson))
  }
  return { type: 'offers', infoHash, from, offers }
}

function readAnswer(infoHash: InfoHash, [sketch, to, offerId, sdp]: readonly unknown[]): Item | null {
  const from = readSketch(sketch)
  const sdpJson = readStringJson(sdp, MAX_SDP_CHARS)
  if (from === null || sdpJson === null || !isBinaryString20(to) || !isBinaryString20(offerId)) return null
  return { type: 'answer', infoHash, from, to: to as PeerId, offerId, sdpJson }
}

function readCandidates(infoHash: InfoHash, [from, to, offerId, list]: readonly unknown[]): Item | null {
  if (!isBinaryString20(from) || !isBinaryString20(to) || !isBinaryString20(offerId)) return null
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CANDIDATES) return null
  try {
    const candidates = list.map(readCandidate)
    return { type: 'candidates', infoHash, from: from as PeerId, to: to as PeerId, offerId, candidates }
  } catch {
    return null
  }
}

function readReports(infoHash: InfoHash, [witness, network, some, others]: readonly unknown[]): Item | null {
  const lists = readSegmentLists(some, MAX_REPORTED_LISTS)
  const wrong = readSegmentLists(others, MAX_WRONG_LISTS)
  if (lists === null || wrong === null) return null
  if (typeof witness !== 'number' && !isBinaryString20(witness)) return null
  if (typeof network !== 'string' || network.length > MAX_ADDRESS_CHARS) return null
  return { type: 'reports', infoHash, from: { witness, network }, lists, wrong }
}

function sketchFields({ id, shoal, seeder, ageSeconds, place }: PeerSketch): unknown[] {
  const { site, local, network, country, continent, pid, known } = place
  return [id, shoal, seeder, ageSeconds, site, local, network, country, continent, pid, known]
}

function readSketch(value: unknown): PeerSketch | null {
  if (!Array.isArray(value)) return null
  const [id, shoal, seeder, ageSeconds, site, local, network, country, continent, pid, known] =
    value as unknown[]
  if (!isBinaryString20(id) || typeof shoal !== 'boolean' || typeof seeder !== 'boolean') return null
  if (!isWhole(ageSeconds) || typeof known !== 'boolean') return null
  const numbers = [site, local, network, country, continent, pid]
  if (!numbers.every(isInt32)) return null
  const place = { site, local, network, country, continent, pid, known } as Place
  return { id: id as PeerId, shoal, seeder, ageSeconds, place }
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ADDRESS_CHARS
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isNodeId(value: unknown): value is NodeId {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
}
