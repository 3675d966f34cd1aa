import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import ipaddr from 'ipaddr.js'

/** Longest probe, in ms. */
const TIMEOUT_MS = 5000

/** First bytes of every playlist (RFC 8216 section 4.3.1.1). */
const PLAYLIST = '#EXTM3U'

/** An address that is not asked: one inside the operator's network, or of the machine itself. */
class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'
}

/**
 * Looks whether a playlist is at a URL that a stranger gave.
 *
 * Redirects are not followed, and a few bytes are read. Only public addresses are connected to: the
 * address is checked where it is used, so that a name cannot mean another one a moment later.
 *
 * @param url http or https
 * @param allowPrivate connect to any address, for tests and for seeders inside
 * @returns true when one was there in time; never rejects
 */
export function probePlaylist(url: string, allowPrivate: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const { protocol, hostname } = new URL(url)
    const literal = hostname.replace(/^\[|\]$/g, '')
    // The system is not asked about an address, so neither would be the check below.
    if (!allowPrivate && ipaddr.isValid(literal) && !isPublic(literal)) {
      resolve(false)
      return
    }
    const start = protocol === 'https:' ? requestHttps : requestHttp
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const options = { agent: false, signal, headers: { accept: '*/*', range: 'bytes=0-1023' } }
    const request = start(url, allowPrivate ? options : { ...options, lookup: publicLookup })
    const end = (found: boolean): void => {
      resolve(found)
      request.destroy()
    }
    request.on('error', () => end(false))
    request.on('response', (response) => {
      let text = ''
      response.on('error', () => end(false))
      response.on('data', (data: Buffer) => {
        text += data.toString('latin1', 0, PLAYLIST.length)
        if (text.length >= PLAYLIST.length) end(text.startsWith(PLAYLIST))
      })
      response.on('end', () => end(false))
      if (response.statusCode !== 200 && response.statusCode !== 206) end(false)
    })
    request.end()
  })
}

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/** The system's lookup, which fails where any of the addresses is not public. */
function publicLookup(hostname: string, options: LookupOptions, done: LookupDone): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? []
    if (error !== null || first === undefined) {
      done(error ?? new Error(`${hostname} has no address`), [])
    } else if (!addresses.every(({ address }) => isPublic(address))) {
      done(new PrivateAddressError(`${hostname} is not public`), [])
    } else if (options.all === true) done(null, addresses)
    else done(null, first.address, first.family)
  })
}

/** Neither private, nor of the machine, nor of another special range (IANA's registries of RFC 6890). */
export function isPublic(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'unicast'
}
