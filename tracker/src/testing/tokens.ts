import type { KeyObject } from 'node:crypto'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'

/** A secret as it stands in a file. */
export const SECRET = 'correct horse battery staple, and more'

/** A pair of Ed25519 keys; the public one as PEM. */
export function newKeyPair(): { readonly privateKey: KeyObject; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** A JSON Web Token as an integrator's server makes one. */
export function hmacToken(
  claims: object,
  secret = SECRET,
  header: object = { alg: 'HS256', typ: 'JWT' },
): string {
  const signed = `${base64url(header)}.${base64url(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

export function ed25519Token(claims: object, key: KeyObject): string {
  const signed = `${base64url({ alg: 'EdDSA' })}.${base64url(claims)}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

/** The hexadecimal digits of 20 binary characters. */
export function hex(binary: string): string {
  return Buffer.from(binary, 'latin1').toString('hex')
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
