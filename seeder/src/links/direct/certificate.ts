import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

/** What a seeder shows in DTLS handshakes; viewers know it by its fingerprint. */
export interface DirectCertificate {
  /** PEM. */
  readonly certificate: string
  /** PEM (PKCS #8). */
  readonly key: string
  /** SHA-256 of the certificate in SDP's form (RFC 8122 section 5): upper-case pairs with colons. */
  readonly fingerprint: string
}

/** A certificate that lives as long as the process. */
export function ephemeralCertificate(): DirectCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = pemOf('CERTIFICATE', selfSigned(privateKey, publicKey))
  return read(pem + privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}

/**
 * The certificate in a file; made, and readable by its owner only, where there is no such file.
 *
 * @throws Error where the file cannot be read or written, or holds something else
 */
export function storedCertificate(file: string): DirectCertificate {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const made = ephemeralCertificate()
    writeFileSync(file, made.certificate + made.key, { mode: 0o600, flag: 'wx' })
    return made
  }
  try {
    return read(text)
  } catch {
    throw new Error(`${file} holds no certificate with its key: remove it, and a new one is made`)
  }
}

function read(text: string): DirectCertificate {
  const certificate = block(text, 'CERTIFICATE')
  const key = block(text, 'PRIVATE KEY')
  const parsed = new X509Certificate(certificate)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is of another certificate')
  return { certificate, key, fingerprint: parsed.fingerprint256 }
}

function block(text: string, label: string): string {
  return new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n?`).exec(text)?.[0] ?? ''
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** ASN.1 tags of DER (ITU-T X.690). */
const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const EXPLICIT_0 = 0xa0

const ECDSA_WITH_SHA256 = der(SEQUENCE, der(OBJECT_ID, Buffer.from('2a8648ce3d040302', 'hex')))
const COMMON_NAME = der(OBJECT_ID, Buffer.from('550403', 'hex'))

/**
 * A self-signed certificate (RFC 5280), which Node has no function for.
 *
 * It does not expire: 99991231235959Z is RFC 5280's date for that (section 4.1.2.5), since peers know it by
 * its fingerprint, and a new one would be another seeder to them.
 */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const serial = randomBytes(16)
  // Positive, and without a zero in front.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from('shoal-seeder')))),
  )
  const validity = der(
    SEQUENCE,
    der(UTC_TIME, Buffer.from('240101000000Z')),
    der(GENERALIZED_TIME, Buffer.from('99991231235959Z')),
  )
  const body = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    ECDSA_WITH_SHA256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  return der(SEQUENCE, body, ECDSA_WITH_SHA256, der(BIT_STRING, Buffer.from([0]), signature))
}

/** One element: tag, length (short, or long with its number of bytes), contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content])
}
