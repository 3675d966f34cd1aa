import type { IceCandidate, InfoHash, PeerId } from '@shoal/protocol'
import { TRACKER_EXTENSION_VERSION } from '@shoal/protocol'
import type { MessageError } from './message-error.js'

/**
 * What the tracker sends. The texts are put together by hand: every relay and every reply passes
 * here, and the swarm's info hash arrives encoded already (`hashJson`).
 */

/** Counts of one swarm. */
export interface SwarmCounts {
  readonly complete: number
  readonly incomplete: number
}

/**
 * Reply to an announce.
 *
 * @param interval seconds until the client announces again
 * @param reportInterval seconds between reports; null for clients that do not speak Shoal
 */
export function replyText(
  hashJson: string,
  counts: SwarmCounts,
  interval: number,
  reportInterval: number | null,
): string {
  const shoal =
    reportInterval === null
      ? ''
      : `,"shoal":{"v":${TRACKER_EXTENSION_VERSION},"report_interval":${reportInterval}}`
  return `{"complete":${counts.complete},"incomplete":${counts.incomplete},"action":"announce","interval":${interval},"info_hash":${hashJson}${shoal}}`
}

/** An offer, for the peer that is to answer it. */
export function offerText(hashJson: string, from: PeerId, offerId: string, sdp: string): string {
  return `{"action":"announce","offer":{"type":"offer","sdp":${JSON.stringify(sdp)}}${relayTail(hashJson, from, offerId)}`
}

/** An answer, for the offerer. */
export function answerText(hashJson: string, from: PeerId, offerId: string, sdp: string): string {
  return `{"action":"announce","answer":{"type":"answer","sdp":${JSON.stringify(sdp)}}${relayTail(hashJson, from, offerId)}`
}

/** Trickled candidates, for the other end. */
export function candidatesText(
  hashJson: string,
  from: PeerId,
  offerId: string,
  candidates: readonly IceCandidate[],
): string {
  const shoal = `{"v":${TRACKER_EXTENSION_VERSION},"candidates":${JSON.stringify(candidates)}}`
  return `{"action":"announce","shoal":${shoal}${relayTail(hashJson, from, offerId)}`
}

function relayTail(hashJson: string, from: PeerId, offerId: string): string {
  return `,"offer_id":${JSON.stringify(offerId)},"peer_id":${JSON.stringify(from)},"info_hash":${hashJson}}`
}

/**
 * Seconds that a client is asked to leave between scrapes. The reference server says the same; no
 * client is known to read it.
 */
const MIN_SCRAPE_INTERVAL_SECONDS = 600

/** Answer to a scrape. */
export function scrapeText(
  files: Iterable<readonly [InfoHash, SwarmCounts & { readonly downloaded: number }]>,
): string {
  const entries: string[] = []
  for (const [hash, { complete, incomplete, downloaded }] of files) {
    entries.push(
      `${JSON.stringify(hash)}:{"complete":${complete},"incomplete":${incomplete},"downloaded":${downloaded}}`,
    )
  }
  return `{"action":"scrape","files":{${entries.join(',')}},"flags":{"min_request_interval":${MIN_SCRAPE_INTERVAL_SECONDS}}}`
}

/** Failure, with what stock clients need to tell whose it is. */
export function failureText(error: MessageError): string {
  const hash = error.infoHash === null ? '' : `,"info_hash":${JSON.stringify(error.infoHash)}`
  return `{"failure reason":${JSON.stringify(error.message)},"action":"${error.action}"${hash}}`
}
