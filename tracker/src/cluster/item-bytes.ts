import type { InfoHash, PeerId } from '@shoal/protocol'
import {
  isBinaryString20,
  MAX_CANDIDATES,
  MAX_REPORTED_LISTS,
  MAX_WRONG_LISTS,
  readCandidate,
  readSegmentLists,
} from '@shoal/protocol'
import type { Place } from '../locality/place.js'
import { readOffersJson, readSdpJson } from '../wire/relayed-json.js'
import type { WireText } from '../wire/wire-text.js'
import type { FrameBytes } from './frame-bytes.js'
import { isAddress, MAX_ADDRESS_CHARS } from './frame-fields.js'
import type { Item, PeerSketch } from './items.js'
import { packer, unpacked } from './packer.js'

/** The first byte of an item. The others are MessagePack: they are few, and short. */
const KIND = { offers: 0, answer: 1, candidates: 2, accusation: 3, reports: 4 } as const

/** Of an id or hash: 20 characters from U+0000 to U+00FF. */
const ID_BYTES = 20

/** An id, flags, an age and the six numbers of a place. */
const SKETCH_BYTES = ID_BYTES + 1 + 4 + 6 * 4

const FLAG = { shoal: 1, seeder: 2, known: 4 } as const
const ALL_FLAGS = 7

/** Ids, and the sketch, before the offers or the description. */
const OFFERS_HEAD = 1 + ID_BYTES + SKETCH_BYTES
const ANSWER_HEAD = 1 + 3 * ID_BYTES + SKETCH_BYTES

const LIST_BEGINS = '[{' as WireText
const NEXT_BEGINS = ',{' as WireText

export function writeItem(bytes: FrameBytes, item: Item): void {
  bytes.byte(KIND[item.type])
  switch (item.type) {
    case 'offers':
      bytes.chars(item.infoHash)
      writeSketch(bytes, item.from)
      for (const [i, { rest }] of item.offers.entries()) {
        bytes.chars(i === 0 ? LIST_BEGINS : NEXT_BEGINS)
        bytes.text(rest)
      }
      bytes.chars(']')
      break
    case 'answer':
      bytes.chars(item.infoHash)
      bytes.chars(item.to)
      bytes.chars(item.offerId)
      writeSketch(bytes, item.from)
      bytes.text(item.sdpJson)
      break
    case 'candidates':
      bytes.bytes(packer.pack([item.infoHash, item.from, item.to, item.offerId, item.candidates]))
      break
    case 'accusation':
      bytes.bytes(packer.pack([item.infoHash, item.network, item.to]))
      break
    case 'reports': {
      const { witness, network } = item.from
      bytes.bytes(packer.pack([item.infoHash, witness, network, item.lists, item.wrong]))
    }
  }
}

/** The item from `start` on that ends before `end`; null for one out of form. */
export function readItem(frame: Buffer, start: number, end: number): Item | null {
  const kind = end > start ? frame[start] : undefined
  if (kind === KIND.offers) return end - start < OFFERS_HEAD ? null : readOffers(frame, start + 1, end)
  if (kind === KIND.answer) return end - start < ANSWER_HEAD ? null : readAnswer(frame, start + 1, end)
  const fields = unpacked(frame.subarray(start + 1, end))
  if (!Array.isArray(fields) || !isBinaryString20(fields[0])) return null
  const infoHash = fields[0] as InfoHash
  if (kind === KIND.candidates) return readCandidates(infoHash, fields)
  if (kind === KIND.accusation) return readAccusation(infoHash, fields)
  return kind === KIND.reports ? readReports(infoHash, fields) : null
}

function readOffers(frame: Buffer, at: number, end: number): Item | null {
  const from = readSketch(frame, at + ID_BYTES)
  const offers = readOffersJson(frame.subarray(at + ID_BYTES + SKETCH_BYTES, end))
  if (from === null || offers === null) return null
  return { type: 'offers', infoHash: idAt(frame, at) as InfoHash, from, offers }
}

function readAnswer(frame: Buffer, at: number, end: number): Item | null {
  const from = readSketch(frame, at + 3 * ID_BYTES)
  const sdpJson = readSdpJson(frame.subarray(at + 3 * ID_BYTES + SKETCH_BYTES, end))
  if (from === null || sdpJson === null) return null
  return {
    type: 'answer',
    infoHash: idAt(frame, at) as InfoHash,
    to: idAt(frame, at + ID_BYTES) as PeerId,
    offerId: idAt(frame, at + 2 * ID_BYTES),
    from,
    sdpJson,
  }
}

function readCandidates(infoHash: InfoHash, [, from, to, offerId, list]: readonly unknown[]): Item | null {
  if (!isBinaryString20(from) || !isBinaryString20(to) || !isBinaryString20(offerId)) return null
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CANDIDATES) return null
  try {
    const candidates = list.map(readCandidate)
    return { type: 'candidates', infoHash, from: from as PeerId, to: to as PeerId, offerId, candidates }
  } catch {
    return null
  }
}

function readAccusation(infoHash: InfoHash, [, network, to]: readonly unknown[]): Item | null {
  if (!isAddress(network) || !isBinaryString20(to)) return null
  return { type: 'accusation', infoHash, network, to: to as PeerId }
}

function readReports(
  infoHash: InfoHash,
  [, witness, network, some, others]: readonly unknown[],
): Item | null {
  const lists = readSegmentLists(some, MAX_REPORTED_LISTS)
  const wrong = readSegmentLists(others, MAX_WRONG_LISTS)
  if (lists === null || wrong === null) return null
  if (typeof witness !== 'number' && !isBinaryString20(witness)) return null
  if (typeof network !== 'string' || network.length > MAX_ADDRESS_CHARS) return null
  return { type: 'reports', infoHash, from: { witness, network }, lists, wrong }
}

function writeSketch(bytes: FrameBytes, { id, shoal, seeder, ageSeconds, place }: PeerSketch): void {
  bytes.chars(id)
  bytes.byte((shoal ? FLAG.shoal : 0) | (seeder ? FLAG.seeder : 0) | (place.known ? FLAG.known : 0))
  bytes.uint32(ageSeconds)
  bytes.int32(place.site)
  bytes.int32(place.local)
  bytes.int32(place.network)
  bytes.int32(place.country)
  bytes.int32(place.continent)
  bytes.int32(place.pid)
}

function readSketch(frame: Buffer, at: number): PeerSketch | null {
  const flags = frame[at + ID_BYTES] ?? 0
  if ((flags & ~ALL_FLAGS) !== 0) return null
  const numbers = at + ID_BYTES + 1
  const place: Place = {
    site: frame.readInt32BE(numbers + 4),
    local: frame.readInt32BE(numbers + 8),
    network: frame.readInt32BE(numbers + 12),
    country: frame.readInt32BE(numbers + 16),
    continent: frame.readInt32BE(numbers + 20),
    pid: frame.readInt32BE(numbers + 24),
    known: (flags & FLAG.known) !== 0,
  }
  return {
    id: idAt(frame, at) as PeerId,
    shoal: (flags & FLAG.shoal) !== 0,
    seeder: (flags & FLAG.seeder) !== 0,
    ageSeconds: frame.readUInt32BE(numbers),
    place,
  }
}

function idAt(frame: Buffer, at: number): string {
  return frame.toString('latin1', at, at + ID_BYTES)
}
