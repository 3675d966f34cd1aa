import { base64urlOf } from './base64url.js'
import { isIpAddress } from './candidate-line.js'
import { DecodeError } from './errors.js'
import type { PeerId } from './units.js'

/** Where a seeder is dialled without signalling, and how it is known (docs/protocol.md, "Direct dial"). */
export interface DialAddress {
  /** IP address without brackets, or a DNS name in lower case. */
  readonly host: string
  /** UDP, 1 to 65535. */
  readonly port: number
  /** SHA-256 of its certificate in SDP's form (RFC 8122 section 5): 32 upper-case pairs with colons. */
  readonly fingerprint: string
}

/** Longest text of an address, in characters: a DNS name of 253 with all around it has 338. */
export const MAX_DIAL_ADDRESS_CHARS = 400

/** Addresses in a reply of a tracker at most. */
export const MAX_DIAL_ADDRESSES = 4

const FORM = /^shoal-dial:\/\/(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9.-]{1,253})):([1-9]\d{0,4})\/([0-9a-f]{64})$/

/** RFC 1123 section 2.1; the last label is not a number, or it would be a bad IPv4 address. */
const DNS_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** `shoal-dial://host:port/` and the fingerprint as 64 hexadecimal digits. */
export function dialAddressText({ host, port, fingerprint }: DialAddress): string {
  const digits = fingerprint.replaceAll(':', '').toLowerCase()
  return `shoal-dial://${host.includes(':') ? `[${host}]` : host}:${port}/${digits}`
}

/**
 * Reads the text form, which comes from a page or a tracker.
 *
 * @throws DecodeError (`bad-value`)
 */
export function readDialAddress(text: unknown): DialAddress {
  const fields = typeof text === 'string' && text.length <= MAX_DIAL_ADDRESS_CHARS ? FORM.exec(text) : null
  const [, ipv6, name, digits, hex = ''] = fields ?? []
  const host = ipv6 ?? name ?? ''
  const port = Number(digits)
  const known = ipv6 === undefined ? isIpAddress(host) || DNS_NAME.test(host) : isIpAddress(host)
  if (fields === null || !known || port > 65_535 || (ipv6 !== undefined && !ipv6.includes(':'))) {
    throw new DecodeError('bad-value', 'not shoal-dial://host:port/ and 64 hexadecimal digits')
  }
  return { host, port, fingerprint: (hex.toUpperCase().match(/../g) ?? []).join(':') }
}

/**
 * Peer id of the seeder at an address: who dials knows it without being told.
 *
 * `-SH0100-` and the fingerprint's first 9 bytes in base64url.
 */
export function dialPeerId({ fingerprint }: Pick<DialAddress, 'fingerprint'>): PeerId {
  const bytes = fingerprint.split(':', 9).map((digits) => Number.parseInt(digits, 16))
  return `-SH0100-${base64urlOf(Uint8Array.from(bytes))}` as PeerId
}
