import { isIP } from 'node:net'
import type { PeerId } from '@shoal/protocol'

/** Where a seeder is dialled without signalling. */
export interface DirectAddress {
  /** IP address. */
  readonly host: string
  /** UDP. */
  readonly port: number
  /** SHA-256 of its certificate, in SDP's form. */
  readonly fingerprint: string
}

/**
 * Peer id of the seeder with a certificate: who dials knows it without being told.
 *
 * @param fingerprint as in `DirectAddress`
 */
export function directPeerId(fingerprint: string): PeerId {
  const bytes = Buffer.from(fingerprint.replaceAll(':', ''), 'hex')
  return `-SH0100-${bytes.toString('base64url').slice(0, 12)}` as PeerId
}

/** A peer that has sent its first connectivity check. */
export interface DirectDial {
  readonly peerId: PeerId
  /** The ICE credentials that it expects of us. */
  readonly ice: { readonly iceUfrag: string; readonly icePwd: string }
  /** The offer that it would have sent, made from what its user fragment says. */
  readonly offer: string
}

/** Names the form of the user fragment, so that another one can follow. */
const PREFIX = 'shoal1'

/** Password of the seeder's side: all know it, as libp2p's webrtc-direct has it; DTLS keeps the secrets. */
const SEEDER_PASSWORD = 'shoal/direct/dial/seeder/side'

/** RFC 8839 section 5.4: letters, digits, + and /; 4 to 256 of a fragment, 22 to 256 of a password. */
const FRAGMENT = /^shoal1([0-9a-f]{40})(\d\d)([A-Za-z0-9+/]{26,190})$/
const MIN_FRAGMENT = 4
const MIN_PASSWORD = 22

/** SCTP over DTLS, both ends (RFC 8841). */
const SCTP_PORT = 5000

/**
 * The seeder's answer to an offer that was never sent: a browser that applies it dials the seeder.
 *
 * The seeder's user fragment, which the dialler is free to choose, says all that the seeder must know: the
 * dialler's peer id, its user fragment and its password. A connectivity check carries it (RFC 8445 section
 * 7.2.2), so that no description has to be changed and no message sent.
 *
 * @param offer the description that the dialler made
 * @param maxMessageSize largest message that the seeder takes, in bytes
 * @throws TypeError for an offer without ICE credentials
 */
export function directAnswer(
  offer: string,
  peerId: PeerId,
  { host, port, fingerprint }: DirectAddress,
  maxMessageSize: number,
): string {
  const ufrag = /^a=ice-ufrag:([A-Za-z0-9+/]+)\s*$/m.exec(offer)?.[1]
  const password = /^a=ice-pwd:([A-Za-z0-9+/]+)\s*$/m.exec(offer)?.[1]
  if (ufrag === undefined || password === undefined) throw new TypeError('an offer without ICE credentials')
  const id = Buffer.from(peerId, 'latin1').toString('hex')
  const length = String(ufrag.length).padStart(2, '0')
  return description({
    host,
    port,
    fingerprint,
    maxMessageSize,
    setup: 'passive',
    mid: /^a=mid:(\S+)/m.exec(offer)?.[1] ?? '0',
    ufrag: `${PREFIX}${id}${length}${ufrag}${password}`,
    password: SEEDER_PASSWORD,
  })
}

/**
 * What a connectivity check says, or null where it is none of ours.
 *
 * The native library ends the process over credentials that are not of ICE's characters: nothing reaches
 * it that has not passed here.
 *
 * @param localUfrag the fragment that the dialler gave to the seeder
 * @param remoteUfrag the dialler's own
 */
export function readDial(
  localUfrag: string,
  remoteUfrag: string,
  host: string,
  port: number,
  maxMessageSize: number,
): DirectDial | null {
  const [, id = '', digits = '', both = ''] = FRAGMENT.exec(localUfrag) ?? []
  const length = Number(digits)
  const [ufrag, password] = [both.slice(0, length), both.slice(length)]
  if (ufrag !== remoteUfrag || ufrag.length < MIN_FRAGMENT || password.length < MIN_PASSWORD) return null
  if (isIP(host) === 0 || !(port >= 1 && port <= 65_535)) return null
  return {
    peerId: Buffer.from(id, 'hex').toString('latin1') as PeerId,
    ice: { iceUfrag: localUfrag, icePwd: SEEDER_PASSWORD },
    offer: description({
      host,
      port,
      // Not known: who dials is anybody, as who connects through a tracker is.
      fingerprint: Array(32).fill('00').join(':'),
      maxMessageSize,
      setup: 'active',
      mid: '0',
      ufrag,
      password,
    }),
  }
}

interface Description extends DirectAddress {
  readonly setup: 'active' | 'passive'
  readonly mid: string
  readonly ufrag: string
  readonly password: string
  readonly maxMessageSize: number
}

function description(of: Description): string {
  const family = isIP(of.host) === 6 ? 'IP6' : 'IP4'
  return [
    'v=0',
    `o=- 0 0 IN ${family} ${of.host}`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${of.mid}`,
    `m=application ${of.port} UDP/DTLS/SCTP webrtc-datachannel`,
    `c=IN ${family} ${of.host}`,
    `a=mid:${of.mid}`,
    'a=sendrecv',
    `a=setup:${of.setup}`,
    `a=ice-ufrag:${of.ufrag}`,
    `a=ice-pwd:${of.password}`,
    `a=fingerprint:sha-256 ${of.fingerprint}`,
    `a=sctp-port:${SCTP_PORT}`,
    `a=max-message-size:${of.maxMessageSize}`,
    `a=candidate:1 1 UDP 2122260223 ${of.host} ${of.port} typ host`,
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}
