import { MAX_SDP_CHARS } from '@shoal/protocol'
import { MAX_OFFERS_PER_ANNOUNCE, readOffers } from './client-message.js'
import { MessageError } from './message-error.js'
import type { Offer } from './offer.js'
import { scanOffers, scanString } from './scan-message.js'
import type { WireText } from './wire-text.js'
import { wireText } from './wire-text.js'

/**
 * JSON of clients that another node has passed on. It is checked as on its first arrival: what is in it
 * goes out again as it is.
 */

/** Bytes that one character of a JSON string takes at most: an escape of six. */
const MAX_BYTES_PER_CHAR = 6

/** A list of one offer or more, as in an announce. @returns null for anything that is none, or a longer one */
export function readOffersJson(data: Uint8Array): readonly Offer[] | null {
  try {
    const offers = scanOffers(data) ?? readOffers(parsed(data), null)
    return offers.length > 0 && offers.length <= MAX_OFFERS_PER_ANNOUNCE ? offers : null
  } catch (error) {
    if (error instanceof MessageError || error instanceof SyntaxError) return null
    throw error
  }
}

/** A session description's text as a JSON string. @returns null for anything that is none, or a longer one */
export function readSdpJson(data: Uint8Array): WireText | null {
  const scanned = scanString(data)
  if (scanned !== null || data.length > MAX_SDP_CHARS * MAX_BYTES_PER_CHAR + 2) return scanned
  try {
    const text = parsed(data)
    return typeof text === 'string' && text.length <= MAX_SDP_CHARS ? wireText(JSON.stringify(text)) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function parsed(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'))
}
