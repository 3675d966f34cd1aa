import type { PeerId } from '@shoal/protocol'
import { MAX_SDP_CHARS } from '@shoal/protocol'
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  GIVE_UP,
  JsonCursor,
  OPEN_BRACE,
  OPEN_BRACKET,
  type Words,
  wordsOf,
} from './json-cursor.js'
import { MessageFields } from './message-fields.js'
import { Offer, RawJsonString } from './offer.js'
import type { WireText } from './wire-text.js'

/** Characters of an id. */
const ID_CHARS = 20

const KEY = {
  action: 0,
  event: 1,
  info_hash: 2,
  peer_id: 3,
  to_peer_id: 4,
  offer_id: 5,
  left: 6,
  offers: 7,
  answer: 8,
  shoal: 9,
  numwant: 10,
  uploaded: 11,
  downloaded: 12,
} as const
const KEYS = wordsOf('":', Object.keys(KEY))

const OFFER_KEY = { offer: 0, offer_id: 1, to_peer_id: 2 } as const
const OFFER_KEYS = wordsOf('":', Object.keys(OFFER_KEY))

const DESCRIPTION_KEY = { type: 0, sdp: 1 } as const
const DESCRIPTION_KEYS = wordsOf('":', Object.keys(DESCRIPTION_KEY))

/** Values that need no string of their own. */
const ACTIONS_AND_EVENTS = wordsOf('"', ['announce', 'scrape', 'started', 'completed', 'stopped', 'update'])
const OFFER = wordsOf('"', ['offer'])
const ANSWER = wordsOf('"', ['answer'])

/**
 * Reads a client's message in its usual form, several times as fast as `JSON.parse` and without
 * decoding its session descriptions, which are nearly all of it.
 *
 * Usual is: the protocol's keys and no others, each once, in any order, no white space between them,
 * session descriptions complete and in ASCII. The caller parses anything else; so nothing is an error
 * here.
 *
 * @param data UTF-8, not kept
 * @returns null for whatever is unusual; else what is read of `JSON.parse`'s value, with `Offer` in
 *   `offers` and the text of its description as `answer`
 */
export function scanMessage(data: Uint8Array): MessageFields | null {
  return scanAll(data, message)
}

/** As `scanMessage`, for the list of offers alone. */
export function scanOffers(data: Uint8Array): Offer[] | null {
  return scanAll(data, offers)
}

/** As `scanMessage`, for a session description's text alone: the JSON string as it is, quotes included. */
export function scanString(data: Uint8Array): WireText | null {
  return scanAll(data, string)
}

const cursor = new JsonCursor()

function scanAll<T>(data: Uint8Array, scan: () => T): T | null {
  try {
    if (!cursor.begin(data)) return null
    const scanned = scan()
    return cursor.atEnd ? scanned : null
  } catch (thrown) {
    if (thrown === GIVE_UP) return null
    throw thrown
  }
}

/** Where the last session description's text was. */
const sdp = { from: 0, to: 0 }

function message(): MessageFields {
  const fields = new MessageFields()
  fields.binary = true
  let seen = 0
  cursor.take(OPEN_BRACE)
  if (!cursor.next(CLOSE_BRACE)) {
    do {
      const key = cursor.word(KEYS)
      seen = once(seen, key)
      readField(fields, key)
    } while (cursor.next(COMMA))
    cursor.take(CLOSE_BRACE)
  }
  return fields
}

function readField(fields: MessageFields, key: number): void {
  switch (key) {
    case KEY.action:
      fields.action = cursor.shortOf(ACTIONS_AND_EVENTS)
      break
    case KEY.event:
      fields.event = cursor.shortOf(ACTIONS_AND_EVENTS)
      break
    case KEY.info_hash:
      fields.info_hash = cursor.short()
      break
    case KEY.peer_id:
      fields.peer_id = cursor.short()
      break
    case KEY.to_peer_id:
      fields.to_peer_id = cursor.short()
      break
    case KEY.offer_id:
      fields.offer_id = cursor.short()
      break
    case KEY.left:
      fields.left = cursor.number()
      break
    case KEY.offers:
      fields.offers = offers()
      break
    case KEY.answer:
      description(ANSWER)
      fields.answer = new RawJsonString(cursor.slice(sdp.from, sdp.to) as WireText)
      break
    case KEY.shoal:
      fields.shoal = cursor.anyObject()
      break
    default:
      cursor.number()
  }
}

function offers(): Offer[] {
  const list: Offer[] = []
  cursor.take(OPEN_BRACKET)
  if (cursor.next(CLOSE_BRACKET)) return list
  do list.push(offer())
  while (cursor.next(COMMA))
  cursor.take(CLOSE_BRACKET)
  return list
}

function offer(): Offer {
  cursor.take(OPEN_BRACE)
  let start = cursor.at
  let target: PeerId | null = null
  let offerId = ''
  let seen = 0
  for (let i = 0; i < 2; i++) {
    if (i > 0) cursor.take(COMMA)
    let key = cursor.word(OFFER_KEYS)
    // Usual is that it comes first: what is passed on begins behind it.
    if (key === OFFER_KEY.to_peer_id && i === 0) {
      target = cursor.short() as PeerId
      cursor.take(COMMA)
      start = cursor.at
      key = cursor.word(OFFER_KEYS)
    }
    seen = once(seen, key)
    if (key === OFFER_KEY.offer) description(OFFER)
    else if (key === OFFER_KEY.offer_id) offerId = cursor.short()
    else throw GIVE_UP
  }
  cursor.take(CLOSE_BRACE)
  if (offerId.length !== ID_CHARS || (target !== null && target.length !== ID_CHARS)) throw GIVE_UP
  const rest = cursor.slice(start, cursor.at) as WireText
  return new Offer(offerId, rest, sdp.from - start, sdp.to - start, target)
}

/** Leaves where its text is in `sdp`. */
function description(type: Words): void {
  cursor.take(OPEN_BRACE)
  let seen = 0
  for (let i = 0; i < 2; i++) {
    if (i > 0) cursor.take(COMMA)
    const key = cursor.word(DESCRIPTION_KEYS)
    seen = once(seen, key)
    if (key === DESCRIPTION_KEY.sdp) sdpText()
    else cursor.word(type)
  }
  cursor.take(CLOSE_BRACE)
}

function string(): WireText {
  sdpText()
  return cursor.slice(sdp.from, sdp.to) as WireText
}

function sdpText(): void {
  sdp.from = cursor.at
  cursor.skipQuoted()
  sdp.to = cursor.at
  if (sdp.to - sdp.from - 2 > MAX_SDP_CHARS) throw GIVE_UP
}

/** Of a key that is there twice `JSON.parse` takes the last one. */
function once(seen: number, key: number): number {
  const bit = 1 << key
  if ((seen & bit) !== 0) throw GIVE_UP
  return seen | bit
}
