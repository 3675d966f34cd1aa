import type { DialAddress } from './dial-address.js'
import { DecodeError } from './errors.js'
import { hexOf } from './ids.js'
import { MAX_CONTROL_MESSAGE_BYTES } from './limits.js'
import type { PeerId } from './units.js'

/** Names the form of the user fragment, so that another one can follow. */
export const DIAL_FRAGMENT_PREFIX = 'shoal1'

/** Password of the seeder's side: all know it, as libp2p's webrtc-direct has it; DTLS keeps the secrets. */
export const DIAL_SEEDER_PASSWORD = 'shoal/direct/dial/seeder/side'

/** SCTP over DTLS, both ends (RFC 8841). */
const SCTP_PORT = 5000

/** What a description of one side of a dialled connection says. */
export interface DialDescription extends DialAddress {
  readonly setup: 'active' | 'passive'
  readonly mid: string
  readonly ufrag: string
  readonly password: string
}

/**
 * The seeder's answer to an offer that is never sent: who applies it dials the seeder.
 *
 * The seeder's user fragment, which the dialler is free to choose, says all that the seeder must know: the
 * dialler's peer id, its user fragment and its password. A connectivity check carries it (RFC 8445 section
 * 7.2.2), so that no description has to be changed and no message sent.
 *
 * @param offer the description that the dialler made
 * @param peerId the dialler's
 * @throws DecodeError (`bad-sdp`) for an offer without ICE credentials
 */
export function dialAnswer(offer: string, peerId: PeerId, address: DialAddress): string {
  const ufrag = /^a=ice-ufrag:([A-Za-z0-9+/]+)\s*$/m.exec(offer)?.[1]
  const password = /^a=ice-pwd:([A-Za-z0-9+/]+)\s*$/m.exec(offer)?.[1]
  if (ufrag === undefined || password === undefined) {
    throw new DecodeError('bad-sdp', 'an offer without ICE credentials')
  }
  const length = String(ufrag.length).padStart(2, '0')
  return dialDescription({
    ...address,
    setup: 'passive',
    mid: /^a=mid:(\S+)/m.exec(offer)?.[1] ?? '0',
    ufrag: DIAL_FRAGMENT_PREFIX + hexOf(peerId) + length + ufrag + password,
    password: DIAL_SEEDER_PASSWORD,
  })
}

/** SDP of one side of a dialled connection. */
export function dialDescription(of: DialDescription): string {
  return [
    'v=0',
    'o=- 0 0 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${of.mid}`,
    // The address is the candidate's; these are RFC 8840's stand-ins (section 4.1.1.3).
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=mid:${of.mid}`,
    'a=sendrecv',
    `a=setup:${of.setup}`,
    `a=ice-ufrag:${of.ufrag}`,
    `a=ice-pwd:${of.password}`,
    `a=fingerprint:sha-256 ${of.fingerprint}`,
    `a=sctp-port:${SCTP_PORT}`,
    // One byte above the limit, as in descriptions that a tracker relays: a longer message is noticed.
    `a=max-message-size:${MAX_CONTROL_MESSAGE_BYTES + 1}`,
    `a=candidate:1 1 UDP 2122260223 ${of.host} ${of.port} typ host`,
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}
