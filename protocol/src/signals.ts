import { DecodeError } from './errors.js'
import { MAX_CANDIDATE_CHARS, MAX_SDP_CHARS } from './limits.js'

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

/** ice-char of RFC 8839 section 5.4. */
const ICE_UFRAG = /^[A-Za-z0-9+/]{4,256}$/
const ICE_PWD = /^[A-Za-z0-9+/]{22,256}$/
const FINGERPRINT = /^sha-(?:1|224|256|384|512) (?:[0-9A-Fa-f]{2}:)+[0-9A-Fa-f]{2}$/
const CANDIDATE =
  /^candidate:[A-Za-z0-9+/]{1,32} \d{1,5} [A-Za-z]{3,8} \d{1,10} [0-9A-Za-z.:%_-]{1,255} \d{1,5} typ (?:host|srflx|prflx|relay)(?: [\x20-\x7e]*)?$/

/**
 * Reads a session description that came from outside.
 *
 * A description that describes more than one data-channel section, or whose ICE credentials or
 * fingerprint are out of form, is refused: native WebRTC stacks have ended their process over such.
 *
 * @throws DecodeError (`bad-sdp`)
 */
export function readDescription(value: unknown): SessionDescription {
  if (typeof value !== 'object' || value === null) throw new DecodeError('bad-sdp', 'not an object')
  const { type, sdp } = value as Record<string, unknown>
  if (type !== 'offer' && type !== 'answer') throw new DecodeError('bad-sdp', 'neither offer nor answer')
  if (typeof sdp !== 'string') throw new DecodeError('bad-sdp', 'no text')
  if (sdp.length > MAX_SDP_CHARS) throw new DecodeError('bad-sdp', `${sdp.length} characters`)
  if (!/^[\t\r\n\x20-\x7e]*$/.test(sdp)) throw new DecodeError('bad-sdp', 'characters outside ASCII')
  if (!sdp.startsWith('v=0')) throw new DecodeError('bad-sdp', 'no version line')
  const lines = sdp.split(/\r?\n/)
  const media = lines.filter((line) => line.startsWith('m='))
  if (media.length !== 1 || media[0]?.startsWith('m=application ') !== true) {
    throw new DecodeError('bad-sdp', 'not exactly one data-channel section')
  }
  requireAttribute(lines, 'ice-ufrag', ICE_UFRAG)
  requireAttribute(lines, 'ice-pwd', ICE_PWD)
  requireAttribute(lines, 'fingerprint', FINGERPRINT)
  return { type, sdp }
}

function requireAttribute(lines: readonly string[], name: string, form: RegExp): void {
  const prefix = `a=${name}:`
  const values = lines.filter((line) => line.startsWith(prefix))
  if (values.length === 0) throw new DecodeError('bad-sdp', `no ${name}`)
  for (const line of values) {
    if (!form.test(line.slice(prefix.length).trimEnd())) throw new DecodeError('bad-sdp', `bad ${name}`)
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
  if (typeof candidate !== 'string' || candidate.length > MAX_CANDIDATE_CHARS) {
    throw new DecodeError('bad-candidate', 'no text, or too long')
  }
  if (!CANDIDATE.test(candidate)) throw new DecodeError('bad-candidate', 'not a candidate line')
  const mid = sdpMid ?? null
  const index = sdpMLineIndex ?? null
  if (mid !== null && (typeof mid !== 'string' || !/^[\x21-\x7e]{1,32}$/.test(mid))) {
    throw new DecodeError('bad-candidate', 'bad sdpMid')
  }
  if (index !== null && index !== 0) throw new DecodeError('bad-candidate', 'bad sdpMLineIndex')
  return { candidate, sdpMid: mid, sdpMLineIndex: index }
}
