import { isLoopback } from './addresses.js'

/** True for the origin of a page on this machine: its address, or `localhost` (RFC 6761 section 6.3). */
export function isLocalOrigin(origin: string): boolean {
  const host = URL.canParse(origin) ? new URL(origin).hostname : ''
  return host === 'localhost' || host.endsWith('.localhost') || isLoopback(host.replace(/^\[|\]$/g, ''))
}

/** Origins of pages that may connect. Entries are as the configuration's schema lets them through. */
export class OriginList {
  private readonly exact = new Set<string>()
  private readonly suffixes: { readonly scheme: string; readonly suffix: string }[] = []

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [scheme = '', host = ''] = entry.split('://')
      if (host.startsWith('*.')) this.suffixes.push({ scheme: `${scheme}://`, suffix: host.slice(1) })
      else this.exact.add(entry)
    }
  }

  /** @param origin as the browser sent it (RFC 6454 section 7) */
  allows(origin: string): boolean {
    const text = origin.toLowerCase()
    if (this.exact.has(text)) return true
    return this.suffixes.some(
      ({ scheme, suffix }) =>
        text.startsWith(scheme) && text.endsWith(suffix) && text.length > scheme.length + suffix.length,
    )
  }
}
