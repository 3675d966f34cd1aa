import type { Signal } from '@shoal/protocol'

/** What a hostile peer or tracker may put in a signal's place, with a name for each. */
export const HOSTILE_SIGNALS: readonly (readonly [name: string, signal: unknown])[] = [
  ['null', null],
  ['a number', 42],
  ['an empty object', {}],
  ['an unknown kind', { kind: 'renegotiate' }],
  ['a description without text', { kind: 'description', type: 'offer' }],
  ['an empty SDP', { kind: 'description', type: 'offer', sdp: '' }],
  ['text that is no SDP', { kind: 'description', type: 'offer', sdp: 'hello' }],
  ['a huge SDP', { kind: 'description', type: 'offer', sdp: `v=0\r\n${'a=x\r\n'.repeat(100_000)}` }],
  ['binary rubbish', { kind: 'description', type: 'offer', sdp: '\u0000\u0001\uffff\ud800v=0\r\n' }],
  ['a rollback', { kind: 'description', type: 'rollback', sdp: 'v=0\r\n' }],
  ['a number as SDP', { kind: 'description', type: 'offer', sdp: 7 }],
  ['an empty candidate', { kind: 'candidate', candidate: '', sdpMid: '0', sdpMLineIndex: 0 }],
  ['a candidate without text', { kind: 'candidate', sdpMid: '0', sdpMLineIndex: 0 }],
  ['a wrong candidate', { kind: 'candidate', candidate: 'candidate:x y z', sdpMid: '0', sdpMLineIndex: 0 }],
  ['a huge candidate', candidate(`candidate:1 1 udp 1 ${'1'.repeat(100_000)} 9 typ host`)],
  ['binary in a candidate', candidate('candidate:\u0000\u0007 1 udp 1 127.0.0.1 9 typ host')],
  ['a line break in a candidate', candidate('candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=x')],
  ['a candidate for another section', { ...candidate(loopback(1)), sdpMLineIndex: 7 }],
  ['a candidate with a strange mid', { ...candidate(loopback(1)), sdpMid: '\u0000'.repeat(50) }],
]

/** Ways to spoil a description that was good. */
export const SPOILED_DESCRIPTIONS: readonly (readonly [name: string, spoil: (sdp: string) => string])[] = [
  ['ice-ufrag with other characters', (sdp) => sdp.replace(/a=ice-ufrag:[^\r\n]*/, 'a=ice-ufrag:%%%%\u007f')],
  ['ice-ufrag too short', (sdp) => sdp.replace(/a=ice-ufrag:[^\r\n]*/, 'a=ice-ufrag:a')],
  ['ice-ufrag too long', (sdp) => sdp.replace(/a=ice-ufrag:[^\r\n]*/, `a=ice-ufrag:${'a'.repeat(300)}`)],
  ['ice-pwd too short', (sdp) => sdp.replace(/a=ice-pwd:[^\r\n]*/, 'a=ice-pwd:abc')],
  ['no ice-pwd', (sdp) => sdp.replace(/a=ice-pwd:[^\r\n]*\r?\n/, '')],
  ['no fingerprint', (sdp) => sdp.replace(/a=fingerprint:[^\r\n]*\r?\n/, '')],
  ['a short fingerprint', (sdp) => sdp.replace(/(a=fingerprint:sha-256 ..:..)[^\r\n]*/, '$1')],
  ['fingerprint not in hexadecimal', (sdp) => sdp.replace(/(a=fingerprint:sha-256 )../, '$1ZZ')],
  ['a media section more', (sdp) => `${sdp}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n`],
  ['a media section instead', (sdp) => sdp.replace('m=application', 'm=video')],
  ['no section', (sdp) => sdp.replace(/m=application[^\r\n]*\r?\n/, '')],
]

/** A candidate line that leads nowhere. */
export function loopback(number: number): string {
  return `candidate:${number} 1 udp ${1_000_000 + number} 127.0.0.1 ${1024 + number} typ host`
}

export function candidate(line: string): Signal {
  return { kind: 'candidate', candidate: line, sdpMid: '0', sdpMLineIndex: 0 }
}

/** Replaces every octet of the first SHA-256 fingerprint: DTLS will meet another certificate. */
export function withOtherFingerprint(sdp: string): string {
  return sdp.replace(/(a=fingerprint:sha-256 )([0-9A-Fa-f:]+)/i, (_, name: string, octets: string) => {
    return name + octets.replace(/[0-9A-Fa-f]{2}/g, (octet) => (octet === '00' ? '11' : '00'))
  })
}
