import ipaddr from 'ipaddr.js'

/** An IP address in a form that prefixes can be compared in. */
export interface Address {
  readonly kind: 'ipv4' | 'ipv6'
  /** In the usual notation, without a zone. */
  readonly text: string
  /** 4 or 16, most significant first. */
  readonly bytes: readonly number[]
}

/** Longest text of an address with a zone (RFC 4007) that is looked at. */
const MAX_ADDRESS_CHARS = 80

/** Reads an address; IPv4 in IPv6 (`::ffff:192.0.2.1`) is IPv4. Null for anything else. */
export function readAddress(text: string): Address | null {
  if (text.length > MAX_ADDRESS_CHARS) return null
  const [bare = ''] = text.split('%', 1)
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return null
  const parsed = ipaddr.process(bare)
  return { kind: parsed.kind(), text: parsed.toString(), bytes: parsed.toByteArray() }
}

/** Addresses that begin with the same bits. */
export interface Prefix {
  readonly kind: 'ipv4' | 'ipv6'
  readonly bytes: readonly number[]
  readonly length: number
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address; bits after the prefix do not count. */
export function readPrefix(text: string): Prefix | null {
  const dotted = DOTTED.exec(text)
  // A table has a million of them.
  if (dotted !== null) return ipv4Prefix(dotted)
  const [address = '', length, ...more] = text.split('/')
  const parsed = readAddress(address)
  if (parsed === null || more.length > 0 || address.includes('%')) return null
  const bits = parsed.bytes.length * 8
  if (length === undefined) return { ...parsed, length: bits }
  // A prefix of mapped addresses would count 96 bits more.
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits || mapped(address, parsed)) return null
  return { ...parsed, length: Number(length) }
}

/** Four numbers without leading zeros, and a length. */
const DOTTED = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?:\/(\d{1,3}))?$/

function ipv4Prefix([, a, b, c, d, bits = '32']: RegExpExecArray): Prefix | null {
  const bytes = [Number(a), Number(b), Number(c), Number(d)]
  const length = Number(bits)
  return bytes.every((byte) => byte <= 255) && length <= 32 ? { kind: 'ipv4', bytes, length } : null
}

function mapped(text: string, { kind }: Address): boolean {
  return kind === 'ipv4' && text.includes(':')
}

/** A 32-bit hash of texts or numbers, never 0 (FNV-1a with MurmurHash3's finaliser). */
export function hash32(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  const mix = (unit: number): void => {
    hash = Math.imul(hash ^ unit, 0x01000193)
  }
  for (const part of parts) {
    if (typeof part === 'number') for (let shift = 0; shift < 32; shift += 8) mix((part >>> shift) & 0xff)
    else for (let i = 0; i < part.length; i++) mix(part.charCodeAt(i))
    // So that the ends of the parts count too.
    mix(0x1ff)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0 || 1
}
