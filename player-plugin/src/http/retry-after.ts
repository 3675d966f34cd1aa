/**
 * Milliseconds that a Retry-After header asks to wait (RFC 9110 section 10.2.3), or null where there
 * is none that can be read. Cross-origin it is seen only where the server exposes it.
 *
 * @param now Unix time in milliseconds
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
