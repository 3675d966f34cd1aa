import type { IPv4, IPv6 } from 'ipaddr.js'
import ipaddr from 'ipaddr.js'

/** Entries of X-Forwarded-For that are walked through at most. */
const MAX_HOPS = 32

/** A range of addresses, as configured. */
export type Cidr = readonly [address: IPv4 | IPv6, prefixLength: number]

/** Reads `192.0.2.0/24`, `2001:db8::/32` or one address; null when it is none of them. */
export function readCidr(text: string): Cidr | null {
  if (text.includes('/')) return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : null
  const address = readAddress(text)
  return address === null ? null : [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** Ranges of texts; what is none is left out: settings are checked before. */
export function rangesOf(texts: readonly string[]): Cidr[] {
  return texts.map(readCidr).filter((range) => range !== null)
}

/** Reads an address; one of IPv4 that is mapped into IPv6 becomes IPv4 again. */
export function readAddress(text: string): IPv4 | IPv6 | null {
  // The library also takes "1" and "0x7f.1" for IPv4 addresses: a header may hold anything.
  if (!text.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(text)) return null
  if (!ipaddr.isValid(text)) return null
  return ipaddr.process(text)
}

export function isIn(address: IPv4 | IPv6, ranges: readonly Cidr[]): boolean {
  return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))
}

/**
 * The client's address: what is at the other end of the connection or, where that is a trusted proxy,
 * the last address in X-Forwarded-For that is not. What stands left of it came from the client, which
 * may write there what it likes.
 *
 * @param remote text of the address at the other end
 * @param forwardedFor the header's values, all lines joined by commas
 * @returns null where the address is unknown
 */
export function clientAddress(
  remote: string,
  forwardedFor: string,
  trustedProxies: readonly Cidr[],
): IPv4 | IPv6 | null {
  let address = readAddress(remote)
  if (address === null || forwardedFor === '' || trustedProxies.length === 0) return address
  const hops = forwardedFor.split(',')
  for (let i = 0; i < MAX_HOPS && isIn(address, trustedProxies); i++) {
    const hop = hops.pop()
    const next = hop === undefined ? null : readAddress(withoutPort(hop.trim()))
    if (next === null) break
    address = next
  }
  return address
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
}

/** True for an address of this machine alone: 127.0.0.0/8 and ::1. */
export function isLoopback(text: string): boolean {
  return readAddress(text)?.range() === 'loopback'
}

/**
 * What limits are counted by: an IPv4 address, or the /64 of an IPv6 one, since who has one address
 * of it has them all (RFC 4291 section 2.5.1; RFC 6177).
 */
export function subjectOf(text: string | null): string {
  const address = text === null ? null : readAddress(text)
  if (address === null) return 'unknown'
  return address.kind() === 'ipv4' ? address.toString() : prefixOf(address, 8)
}

/** The network that counts as one witness: /24 of IPv4, /48 of IPv6 (one site, RFC 6177). */
export function networkOf(text: string | null): string {
  const address = text === null ? null : readAddress(text)
  if (address === null) return 'unknown'
  return prefixOf(address, address.kind() === 'ipv4' ? 3 : 6)
}

function prefixOf(address: IPv4 | IPv6, bytes: number): string {
  return `${address.kind()} ${Buffer.from(address.toByteArray().slice(0, bytes)).toString('hex')}`
}
