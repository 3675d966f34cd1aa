import { isCandidateLine } from './candidate-line.js'
import { DecodeError } from './errors.js'
import { MAX_CANDIDATES, MAX_SDP_CHARS } from './limits.js'

/** One side's session description. */
export interface SessionDescription {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

/** One trickled ICE candidate (RFC 8838): the browser's `RTCIceCandidateInit` fields that count. */
export interface IceCandidate {
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
}

/** What two ends of a connection tell each other through the tracker or a neighbour. */
export type Signal =
  | ({ readonly kind: 'description' } & SessionDescription)
  | ({ readonly kind: 'candidate' } & IceCandidate)

/** One line of SDP: type and printable ASCII (our peers write nothing else). */
const LINE = /^[a-z]=[\x20-\x7e]+$/
/** 1 to 65535. */
const PORT = /^(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/
/** RFC 8841 section 4; port 0 would refuse the section. */
const DATA_CHANNEL_SECTION = /^m=application (\d{1,5}) (?:UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/

/** Form of an attribute's value, and how often a description may say it. */
interface AttributeRule {
  readonly form: RegExp
  readonly min: number
  readonly max: number
}

/**
 * Attributes that WebRTC stacks parse into more than text. Two values of one attribute could be read
 * as the first by us and as the last by a stack; only fingerprints may come in several (RFC 8122).
 */
const ATTRIBUTES: Readonly<Record<string, AttributeRule>> = {
  // ice-char of RFC 8839 section 5.4.
  'ice-ufrag': { form: /^[A-Za-z0-9+/]{4,256}$/, min: 1, max: 1 },
  'ice-pwd': { form: /^[A-Za-z0-9+/]{22,256}$/, min: 1, max: 1 },
  // RFC 8122 section 5: as many octets as the hash function gives.
  fingerprint: {
    form: /^(?:sha-1 (?:[0-9A-Fa-f]{2}:){19}|sha-224 (?:[0-9A-Fa-f]{2}:){27}|sha-256 (?:[0-9A-Fa-f]{2}:){31}|sha-384 (?:[0-9A-Fa-f]{2}:){47}|sha-512 (?:[0-9A-Fa-f]{2}:){63})[0-9A-Fa-f]{2}$/,
    min: 1,
    max: 8,
  },
  // RFC 8842 section 5.2.
  setup: { form: /^(?:actpass|active|passive)$/, min: 0, max: 1 },
  mid: { form: /^[\x21-\x7e]{1,32}$/, min: 0, max: 1 },
  // RFC 8841 sections 5 and 6.
  'sctp-port': { form: PORT, min: 0, max: 1 },
  'max-message-size': { form: /^\d{1,15}$/, min: 0, max: 1 },
}

/**
 * Reads a session description that came from outside.
 *
 * A description that describes more than one data-channel section, or whose ICE credentials,
 * fingerprint, candidates or other attributes with a syntax are out of form, is refused: native WebRTC
 * stacks have ended their process over such.
 *
 * @throws DecodeError (`bad-sdp`)
 */
export function readDescription(value: unknown): SessionDescription {
  if (typeof value !== 'object' || value === null) throw new DecodeError('bad-sdp', 'not an object')
  const { type, sdp } = value as Record<string, unknown>
  if (type !== 'offer' && type !== 'answer') throw new DecodeError('bad-sdp', 'neither offer nor answer')
  if (typeof sdp !== 'string') throw new DecodeError('bad-sdp', 'no text')
  if (sdp.length > MAX_SDP_CHARS) throw new DecodeError('bad-sdp', `${sdp.length} characters`)
  const lines = sdp.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (!lines.every((line) => LINE.test(line))) throw new DecodeError('bad-sdp', 'not lines of ASCII')
  if (lines[0] !== 'v=0') throw new DecodeError('bad-sdp', 'no version line')
  const [media, ...more] = lines.filter((line) => line.startsWith('m='))
  const port = DATA_CHANNEL_SECTION.exec(media ?? '')?.[1]
  if (more.length > 0 || port === undefined || !PORT.test(port)) {
    throw new DecodeError('bad-sdp', 'not exactly one data-channel section')
  }
  checkAttributes(lines)
  // RFC 8842 section 5.3: an answer decides who begins the DTLS handshake.
  if (type === 'answer' && !lines.includes('a=setup:active') && !lines.includes('a=setup:passive')) {
    throw new DecodeError('bad-sdp', 'undecided answer')
  }
  checkCandidates(lines)
  return { type, sdp }
}

function checkAttributes(lines: readonly string[]): void {
  for (const [name, { form, min, max }] of Object.entries(ATTRIBUTES)) {
    const prefix = `a=${name}:`
    // Lines without the colon, too: stacks take them for an empty value, or look at the beginning alone.
    const values = lines.filter((line) => line.startsWith(`a=${name}`))
    if (values.length < min || values.length > max) {
      throw new DecodeError('bad-sdp', `${values.length} times ${name}`)
    }
    if (!values.every((line) => line.startsWith(prefix) && form.test(line.slice(prefix.length)))) {
      throw new DecodeError('bad-sdp', `bad ${name}`)
    }
  }
}

/** Candidates inside a description reach the same parser as trickled ones: the same rules hold. */
function checkCandidates(lines: readonly string[]): void {
  const candidates = lines.filter((line) => line.startsWith('a=candidate'))
  if (candidates.length > MAX_CANDIDATES) throw new DecodeError('bad-sdp', `${candidates.length} candidates`)
  if (!candidates.every((line) => isCandidateLine(line.slice(2)))) {
    throw new DecodeError('bad-sdp', 'bad candidate')
  }
}

/**
 * Reads a trickled candidate that came from outside. Throws `DecodeError` (`bad-candidate`).
 *
 * The empty candidate (end of candidates) is refused too: a caller filters it out before.
 */
export function readCandidate(value: unknown): IceCandidate {
  if (typeof value !== 'object' || value === null) throw new DecodeError('bad-candidate', 'not an object')
  const { candidate, sdpMid, sdpMLineIndex } = value as Record<string, unknown>
  if (typeof candidate !== 'string' || !isCandidateLine(candidate)) {
    throw new DecodeError('bad-candidate', 'not a candidate line')
  }
  const mid = sdpMid ?? null
  const index = sdpMLineIndex ?? null
  if (mid !== null && (typeof mid !== 'string' || !/^[\x21-\x7e]{1,32}$/.test(mid))) {
    throw new DecodeError('bad-candidate', 'bad sdpMid')
  }
  if (index !== null && index !== 0) throw new DecodeError('bad-candidate', 'bad sdpMLineIndex')
  // Browsers throw at a candidate that names no section (WebRTC 1.0, addIceCandidate).
  if (mid === null && index === null) throw new DecodeError('bad-candidate', 'of no section')
  return { candidate, sdpMid: mid, sdpMLineIndex: index === null ? null : 0 }
}
