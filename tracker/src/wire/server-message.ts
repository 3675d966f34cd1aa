import type { IceCandidate, InfoHash, Introduced, Verdict } from '@shoal/protocol'
import { TRACKER_EXTENSION_VERSION } from '@shoal/protocol'
import type { MessageError } from './message-error.js'
import type { WireText } from './wire-text.js'
import { idJson, wireText } from './wire-text.js'

/**
 * What the tracker sends. The texts are put together by hand: every relay and every reply passes
 * here, and what is in many of them arrives encoded already (`hashJson`, `fromJson`, `sdpJson`).
 */

/** Counts of one swarm. */
export interface SwarmCounts {
  readonly complete: number
  readonly incomplete: number
}

/** What Shoal's peers are told in a reply besides. */
export interface ReplyExtension {
  /** Seconds between reports. */
  readonly reportInterval: number
  /** Viewers of the swarm that serve others. */
  readonly eligible: number
  /** Median of their uplinks in bytes per second; 0 while unknown. */
  readonly medianUplink: number
  /** JSON list of playlists at seeders that answer by HTTP; null for none. */
  readonly httpJson: WireText | null
  /** Members about whose bytes to trust, each with a comma before it; empty for none. */
  readonly integrityJson: string
  /** JSON list of addresses where seeders are dialled; null for none. */
  readonly dialJson: WireText | null
  /** Whom offers may go to; null where the client has not asked. */
  readonly introduced: readonly Introduced[] | null
}

/** What Shoal's peers are told of the peer that an offer or an answer comes from. */
export interface RelayExtension {
  /** Cost of traffic between the two, 0 to 100. */
  readonly cost: number
  /** Whole seconds since it joined. */
  readonly ageSeconds: number
}

/**
 * Reply to an announce.
 *
 * @param interval seconds until the client announces again
 * @param extension null for clients that do not speak Shoal
 */
export function replyText(
  hashJson: WireText,
  counts: SwarmCounts,
  interval: number,
  extension: ReplyExtension | null,
): WireText {
  const shoal =
    extension === null
      ? ''
      : `,"shoal":{"v":${TRACKER_EXTENSION_VERSION},"report_interval":${extension.reportInterval},"eligible":${extension.eligible},"median_uplink":${extension.medianUplink}${listJson('http', extension.httpJson)}${listJson('dial', extension.dialJson)}${extension.integrityJson}${introducedJson(extension.introduced)}}`
  return `{"complete":${counts.complete},"incomplete":${counts.incomplete},"action":"announce","interval":${interval},"info_hash":${hashJson}${shoal}}` as WireText
}

function introducedJson(introduced: readonly Introduced[] | null): string {
  if (introduced === null) return ''
  return `,"introduced":[${introduced.map((id) => (id === null ? 'null' : idJson(id))).join()}]`
}

function listJson(key: string, json: WireText | null): string {
  return json === null ? '' : `,"${key}":${json}`
}

/** What all offers of one announce begin with: `relayJson` may follow, and the offer's `rest` ends them. */
export function offerHead(hashJson: WireText, fromJson: WireText): WireText {
  return `{"action":"announce","info_hash":${hashJson},"peer_id":${fromJson},` as WireText
}

/** What an answer begins with: its session description's text and `ANSWER_TAIL` end it. */
export function answerHead(
  hashJson: WireText,
  fromJson: WireText,
  offerId: string,
  extension: RelayExtension | null,
): WireText {
  return `{"action":"announce","info_hash":${hashJson},"peer_id":${fromJson},"offer_id":${idJson(offerId)},${relayJson(extension)}"answer":{"type":"answer","sdp":` as WireText
}

export const ANSWER_TAIL = '}}' as WireText

/** Trickled candidates, for the other end. */
export function candidatesText(
  hashJson: WireText,
  fromJson: WireText,
  offerId: string,
  candidates: readonly IceCandidate[],
): WireText {
  const shoal = `{"v":${TRACKER_EXTENSION_VERSION},"candidates":${wireText(JSON.stringify(candidates))}}`
  return `{"action":"announce","shoal":${shoal},"offer_id":${idJson(offerId)},"peer_id":${fromJson},"info_hash":${hashJson}}` as WireText
}

/** What the tracker concludes from what peers reported, 1 to 32 verdicts. */
export function verdictsText(hashJson: WireText, verdicts: readonly Verdict[]): WireText {
  const shoal = `{"v":${TRACKER_EXTENSION_VERSION},"verdicts":${JSON.stringify(verdicts)}}`
  return `{"action":"announce","info_hash":${hashJson},"shoal":${shoal}}` as WireText
}

/** A key for the middle of a relayed message, with a comma behind it. @param extension null for clients that do not speak Shoal */
export function relayJson(extension: RelayExtension | null): WireText {
  if (extension === null) return NOTHING
  return `"shoal":{"v":${TRACKER_EXTENSION_VERSION},"cost":${extension.cost},"age":${extension.ageSeconds}},` as WireText
}

const NOTHING = '' as WireText

/**
 * Seconds that a client is asked to leave between scrapes. The reference server says the same; no
 * client is known to read it.
 */
const MIN_SCRAPE_INTERVAL_SECONDS = 600

/** Answer to a scrape. */
export function scrapeText(
  files: Iterable<readonly [InfoHash, SwarmCounts & { readonly downloaded: number }]>,
): WireText {
  const entries: string[] = []
  for (const [hash, { complete, incomplete, downloaded }] of files) {
    entries.push(
      `${idJson(hash)}:{"complete":${complete},"incomplete":${incomplete},"downloaded":${downloaded}}`,
    )
  }
  return `{"action":"scrape","files":{${entries.join(',')}},"flags":{"min_request_interval":${MIN_SCRAPE_INTERVAL_SECONDS}}}` as WireText
}

/** Failure, with what stock clients need to tell whose it is. */
export function failureText(error: MessageError): WireText {
  const hash = error.infoHash === null ? '' : `,"info_hash":${JSON.stringify(error.infoHash)}`
  return wireText(
    `{"failure reason":${JSON.stringify(error.message)},"code":"${error.code}","action":"${error.action}"${hash}}`,
  )
}
