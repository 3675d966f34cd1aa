import type { IceCandidate, Signal } from '@shoal/protocol'

/** What a memory link's session description says: who it is, and two secrets that must match. */
export interface MemoryDescription {
  readonly type: 'offer' | 'answer'
  /** The link's name in its network; the ICE user fragment on the wire. */
  readonly token: string
  readonly password: string
  readonly fingerprint: string
}

/** The credentials of the link with this number. */
export function memoryDescription(type: 'offer' | 'answer', linkNumber: number): MemoryDescription {
  const token = `mem${linkNumber.toString(36).padStart(8, '0')}`
  return { type, token, password: `${token}+${token}/secret`, fingerprint: fingerprintOf(linkNumber) }
}

function fingerprintOf(linkNumber: number): string {
  const octets: string[] = []
  let word = linkNumber ^ 0x5bd1e995
  for (let index = 0; index < 32; index++) {
    word = Math.imul(word ^ (word >>> 13), 0x5bd1e995) + index
    octets.push(((word >>> 8) & 0xff).toString(16).toUpperCase().padStart(2, '0'))
  }
  return octets.join(':')
}

/** A description in the form of RFC 8841, so that `readDescription` takes it. */
export function descriptionSignal(description: MemoryDescription): Signal {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sctp-port:5000',
    `a=ice-ufrag:${description.token}`,
    `a=ice-pwd:${description.password}`,
    `a=fingerprint:sha-256 ${description.fingerprint}`,
    `a=setup:${description.type === 'offer' ? 'actpass' : 'active'}`,
    '',
  ]
  return { kind: 'description', type: description.type, sdp: lines.join('\r\n') }
}

/** Reads what `readDescription` has let through. */
export function parseMemoryDescription(type: 'offer' | 'answer', sdp: string): MemoryDescription {
  return {
    type,
    token: attribute(sdp, 'ice-ufrag'),
    password: attribute(sdp, 'ice-pwd'),
    fingerprint: attribute(sdp, 'fingerprint').replace(/^\S+ /, ''),
  }
}

function attribute(sdp: string, name: string): string {
  return new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1] ?? ''
}

/** The one candidate of a memory host. */
export function candidateSignal(address: string): Signal {
  const candidate = `candidate:1 1 udp 2130706431 ${address} 9 typ host`
  return { kind: 'candidate', candidate, sdpMid: '0', sdpMLineIndex: 0 }
}

/** The address that a candidate names. */
export function addressOfCandidate(candidate: IceCandidate): string {
  return candidate.candidate.split(' ')[4] ?? ''
}
