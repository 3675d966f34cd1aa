import { isIP } from 'node:net'
import { MAX_SEEDER_URL_CHARS } from '@shoal/protocol'
import type { SeederOptions } from '../runtime/options.js'

/** Addresses that stand for all of a machine's: viewers cannot connect to them. */
const WILDCARDS = ['0.0.0.0', '::']

/**
 * Where viewers are told that the title's playlist is: under the public URL, else under that of the
 * listening server where it has an address of its own. Undefined where there is nothing to tell.
 *
 * @param listening URL of the server, or null without one
 * @param playlistUrl the source's
 */
export function announcedUrl(
  http: SeederOptions['http'],
  listening: string | null,
  playlistUrl: string,
): string | undefined {
  if (http === undefined || listening === null) return undefined
  const { host, publicUrl } = http
  const own = host !== undefined && !WILDCARDS.includes(host)
  const base = publicUrl ?? (own ? listening : null)
  if (base === null) return undefined
  // The source's query may hold a token; the mirror serves without.
  const name = new URL(playlistUrl).pathname.split('/').at(-1) ?? ''
  const { href } = new URL(`./${name}`, base.endsWith('/') ? base : `${base}/`)
  return href.length <= MAX_SEEDER_URL_CHARS ? href : undefined
}

/** Null where a public URL can be told to viewers; else what is the matter with it. */
export function publicUrlFault(text: string): string | null {
  if (!URL.canParse(text)) return 'Not a URL, such as https://edge.example/title/.'
  const { protocol, username, password, search, hash, hostname } = new URL(text)
  if (!/^https?:$/.test(protocol)) return 'Not an http:// or https:// URL.'
  if (username + password + search + hash !== '') return 'It has a user, a query or a fragment.'
  const bare = hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) !== 0 && WILDCARDS.includes(bare) ? 'It has no address that viewers can reach.' : null
}
