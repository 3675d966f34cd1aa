import { isBinaryString20 } from './ids.js'
import { MAX_TOKEN_CHARS } from './limits.js'
import type { TokenFault } from './messages.js'
import type { InfoHash } from './units.js'

/** How far the clocks of who signs and of who checks may be apart, in seconds. */
const LEEWAY_SECONDS = 30

/** What the checking of tokens needs of its host. */
export interface TokenPort {
  /** Bytes of base64url as characters U+0000 to U+00FF; what is none of it may be left out. */
  binary(base64url: string): string
  /** Text of base64url of UTF-8. */
  text(base64url: string): string
  /** First 20 bytes of the SHA-256 of a content id, as characters U+0000 to U+00FF. */
  infoHashOf(contentId: string): string
  /** Whether one of the keys for this algorithm, and for no other, made the signature. */
  verify(algorithm: TokenAlgorithm, signed: string, signature: string): boolean
}

/** HMAC-SHA256 (RFC 7518 section 3.2), or Ed25519 (RFC 8037 section 3.1). */
export type TokenAlgorithm = 'HS256' | 'EdDSA'

/** What a valid token says. */
export interface TokenClaims {
  readonly infoHash: InfoHash
  /** Of the page, as browsers send it; null for any. */
  readonly origin: string | null
  /** The one peer that it is for, 20 binary characters; null for any. */
  readonly peerId: string | null
  /** It is one of the operator's own seeders: the tracker vouches for its keys. */
  readonly seeder: boolean
  /** Seconds since 1970, both. */
  readonly expires: number
  readonly notBefore: number
}

/** What the bearer of a token wants. */
export interface TokenWish {
  readonly infoHash: InfoHash
  /** Null where it is not known yet. */
  readonly peerId: string | null
  /** Null where there is no page to ask: any origin will do. */
  readonly origin: string | null
}

/** Why a token lets nobody in. */
export interface TokenRefusal {
  readonly code: TokenFault
  /** For people. */
  readonly reason: string
}

/**
 * Checks the form and the signature of a join token, a JSON Web Token (RFC 7519) signed with HS256 or
 * EdDSA. The key decides the algorithm: a public key is never taken for a secret.
 *
 * @returns the claims, or null when the token is out of form or signed by none of the keys
 */
export function readToken(token: string, port: TokenPort): TokenClaims | null {
  if (token.length > MAX_TOKEN_CHARS) return null
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  const head = fieldsOf(port, header)
  if (more.length > 0 || head === null || head['crit'] !== undefined) return null
  const { alg } = head
  if (alg !== 'HS256' && alg !== 'EdDSA') return null
  if (!port.verify(alg, `${header}.${payload}`, port.binary(signature))) return null
  return claimsOf(fieldsOf(port, payload), port)
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(port: TokenPort, part: string): Fields | null {
  try {
    const value: unknown = JSON.parse(port.text(part))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null
  } catch {
    return null
  }
}

function claimsOf(fields: Fields | null, port: TokenPort): TokenClaims | null {
  const { content, info_hash: hash, origin, peer_id: peer, exp, nbf = 0, seeder = false } = fields ?? {}
  const named = typeof content === 'string' && content !== '' && hash === undefined
  const infoHash = named ? port.infoHashOf(content) : content === undefined ? binaryOf(hash) : null
  const peerId = peer === undefined ? null : binaryOf(peer)
  const whole = isSeconds(exp) && isSeconds(nbf) && (origin === undefined || typeof origin === 'string')
  if (typeof seeder !== 'boolean') return null
  if (!whole || !isBinaryString20(infoHash) || (peer !== undefined && peerId === null)) return null
  return {
    infoHash: infoHash as InfoHash,
    origin: origin ?? null,
    peerId,
    seeder,
    expires: exp,
    notBefore: nbf,
  }
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

/** The 20 characters of 40 hexadecimal digits, or null. */
function binaryOf(hex: unknown): string | null {
  if (typeof hex !== 'string' || !/^[0-9a-fA-F]{40}$/.test(hex)) return null
  return hex.replace(/../g, (digits) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Why a token does not let this peer into this swarm now, or null. @param now seconds since 1970 */
export function refuseToken(claims: TokenClaims, wish: TokenWish, now: number): TokenRefusal | null {
  if (claims.expires + LEEWAY_SECONDS <= now)
    return { code: 'token-expired', reason: 'the token has expired' }
  if (claims.notBefore - LEEWAY_SECONDS > now) return invalidToken('is not valid yet')
  if (claims.infoHash !== wish.infoHash) return invalidToken('is for another swarm')
  if (claims.origin !== null && wish.origin !== null && claims.origin !== wish.origin) {
    return invalidToken('is for another origin')
  }
  if (claims.peerId !== null && claims.peerId !== wish.peerId) return invalidToken('is for another peer')
  return null
}

export function invalidToken(why: string): TokenRefusal {
  return { code: 'token-invalid', reason: `the token ${why}` }
}

/** Keys of one file at most: the current one, the next one, and room for tenants. */
const MAX_KEYS = 16

/**
 * Secrets of a file, one a line; `#` begins a comment.
 *
 * @throws Error where there are none, or more than 16
 */
export function secretLines(text: string): string[] {
  const secrets = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  return counted(secrets, 'secrets')
}

/**
 * PEM blocks of public keys in a file.
 *
 * @throws Error where there are none, or more than 16
 */
export function publicKeyBlocks(text: string): string[] {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  return counted(blocks, 'public keys (PEM)')
}

function counted(found: string[], what: string): string[] {
  if (found.length >= 1 && found.length <= MAX_KEYS) return found
  throw new Error(`holds ${found.length} ${what}, wanted are 1 to ${MAX_KEYS}`)
}
