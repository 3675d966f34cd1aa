import type { KeyObject } from 'node:crypto'
import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { InfoHash } from '@shoal/protocol'
import { z } from 'zod'
import type { Refusal } from './refusal.js'

/** Longest token that is looked at, in characters: a signed one with all claims has about 400. */
export const MAX_TOKEN_CHARS = 2048

/** Keys of one file at most: the current one, the next one, and room for tenants. */
const MAX_KEYS = 16

/** HMAC-SHA256 secrets are at least as long as the hash, in bytes (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32

/** How far the clocks of who signs and of the tracker may be apart, in seconds. */
const LEEWAY_SECONDS = 30

/** Keys that tokens may be signed with; several of them while one takes the other's place. */
export interface TokenKeys {
  readonly hmac: readonly KeyObject[]
  readonly ed25519: readonly KeyObject[]
}

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

const hexId = z.string().regex(/^[0-9a-fA-F]{40}$/)
const seconds = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

const headerSchema = z.object({ alg: z.enum(['HS256', 'EdDSA']), crit: z.undefined().optional() })

const claimsSchema = z
  .object({
    exp: seconds,
    nbf: seconds.default(0),
    content: z.string().min(1).optional(),
    info_hash: hexId.optional(),
    origin: z.string().optional(),
    peer_id: hexId.optional(),
    seeder: z.boolean().default(false),
  })
  .refine(({ content, info_hash }) => (content === undefined) !== (info_hash === undefined))

/** Reads secrets, one a line, of at least 32 characters; `#` begins a comment. @throws Error */
export function readSecrets(text: string): KeyObject[] {
  const secrets = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  checkCount(secrets.length, 'secrets')
  return secrets.map((secret, i) => {
    const bytes = Buffer.from(secret, 'utf8')
    if (bytes.byteLength < MIN_SECRET_BYTES) throw new Error(`secret ${i + 1} has less than 32 bytes`)
    return createSecretKey(bytes)
  })
}

/** Reads Ed25519 public keys, PEM blocks one after the other. @throws Error */
export function readPublicKeys(text: string): KeyObject[] {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  checkCount(blocks.length, 'public keys (PEM)')
  return blocks.map((pem, i) => {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`key ${i + 1} is not an Ed25519 key`)
    return key
  })
}

function checkCount(count: number, what: string): void {
  if (count === 0 || count > MAX_KEYS) throw new Error(`holds ${count} ${what}, wanted are 1 to ${MAX_KEYS}`)
}

/**
 * Checks the signature of a join token, a JSON Web Token (RFC 7519) signed with HS256 (RFC 7518) or
 * EdDSA over Ed25519 (RFC 8037). The key decides the algorithm: a public key is never taken for a
 * secret.
 *
 * @returns the claims, or null when the token is out of form or signed by none of the keys
 */
export function readToken(token: string, keys: TokenKeys): TokenClaims | null {
  if (token.length > MAX_TOKEN_CHARS) return null
  const parts = token.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) return null
  const { data: head } = headerSchema.safeParse(readJson(header))
  if (head === undefined) return null
  const signed = Buffer.from(`${header}.${payload}`, 'latin1')
  const proof = Buffer.from(signature, 'base64url')
  const good =
    head.alg === 'HS256'
      ? keys.hmac.some((key) => isMac(signed, key, proof))
      : keys.ed25519.some((key) => verify(null, signed, key, proof))
  return good ? claimsOf(readJson(payload)) : null
}

function claimsOf(payload: unknown): TokenClaims | null {
  const { data } = claimsSchema.safeParse(payload)
  if (data === undefined) return null
  const { content, info_hash: hash = '', origin = null, peer_id: peer, seeder, exp, nbf } = data
  return {
    infoHash: (content === undefined ? binaryOf(hash) : infoHashOf(content)) as InfoHash,
    origin,
    peerId: peer === undefined ? null : binaryOf(peer),
    seeder,
    expires: exp,
    notBefore: nbf,
  }
}

/** The info hash of a content id (docs/protocol.md: the first 20 bytes of its SHA-256). */
export function infoHashOf(contentId: string): string {
  return createHash('sha256').update(contentId, 'utf8').digest().toString('latin1', 0, 20)
}

/** Why a token does not let this peer into this swarm now, or null. @param now seconds since 1970 */
export function refuseToken(
  claims: TokenClaims,
  wish: { readonly infoHash: InfoHash; readonly peerId: string | null; readonly origin: string },
  now: number,
): Refusal | null {
  if (claims.expires + LEEWAY_SECONDS <= now)
    return { code: 'token-expired', reason: 'the token has expired' }
  if (claims.notBefore - LEEWAY_SECONDS > now) return invalid('is not valid yet')
  if (claims.infoHash !== wish.infoHash) return invalid('is for another swarm')
  if (claims.origin !== null && claims.origin !== wish.origin) return invalid('is for another origin')
  if (claims.peerId !== null && claims.peerId !== wish.peerId) return invalid('is for another peer')
  return null
}

export function invalid(why: string): Refusal {
  return { code: 'token-invalid', reason: `the token ${why}` }
}

function isMac(signed: Buffer, key: KeyObject, proof: Buffer): boolean {
  const mac = createHmac('sha256', key).update(signed).digest()
  return mac.byteLength === proof.byteLength && timingSafeEqual(mac, proof)
}

function readJson(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

function binaryOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}
