import { MAX_CANDIDATE_CHARS } from './limits.js'

/**
 * candidate-attribute of RFC 8839 section 5.1. Fields are separated by a space that no field may hold,
 * so that a match takes one pass.
 */
const CANDIDATE =
  /^candidate:[A-Za-z0-9+/]{1,32} (\d{1,3}) (?:[Uu][Dd][Pp]|[Tt][Cc][Pp]) (\d{1,10}) ([0-9A-Za-z.:-]{1,255}) (\d{1,5}) typ (?:host|srflx|prflx|relay)(?: [\x21-\x7e]+ [\x21-\x7e]+)*$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/
const IPV6_GROUP = /^[0-9A-Fa-f]{1,4}$/
const MDNS_NAME = /^[0-9A-Za-z-]{1,63}\.local$/

/** Largest priority of a candidate (RFC 8445 section 5.1.2). */
const MAX_PRIORITY = 2 ** 31 - 1
/** Component ids of RFC 8445 end here; a data channel's is 1. */
const MAX_COMPONENT = 256
const MAX_PORT = 65_535

/**
 * True for a candidate that can be handed to a WebRTC stack: RFC 8839's grammar, numbers in range, and
 * an address that is an IP address or an mDNS name (draft-ietf-mmusic-mdns-ice-candidates).
 *
 * Other host names are refused: a stack would look them up, and a stranger could so make it ask any
 * name server for any name.
 *
 * @param text without `a=`
 */
export function isCandidateLine(text: string): boolean {
  if (text.length > MAX_CANDIDATE_CHARS) return false
  const fields = CANDIDATE.exec(text)
  if (fields === null) return false
  const [, component, priority, address = '', port] = fields
  return (
    within(component, MAX_COMPONENT) &&
    within(priority, MAX_PRIORITY) &&
    within(port, MAX_PORT) &&
    (MDNS_NAME.test(address) || isIpAddress(address))
  )
}

function within(digits: string | undefined, max: number): boolean {
  const value = Number(digits)
  return value >= 1 && value <= max
}

/** An IPv4 address of four decimal parts, or an IPv6 address without a zone. */
export function isIpAddress(text: string): boolean {
  return IPV4.test(text) || isIpv6(text)
}

/** Textual IPv6 addresses of RFC 4291 section 2.2, without a zone. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  let size = groups.length
  const last = groups.at(-1)
  if (last !== undefined && IPV4.test(last) && text.endsWith(last)) {
    groups.pop()
    size += 1
  }
  return groups.every((group) => IPV6_GROUP.test(group)) && (halves.length === 2 ? size <= 7 : size === 8)
}
