import { DecodeError } from './errors.js'
import { utf8 } from './ids.js'
import type { PublicKey } from './public-key.js'
import { isPublicKey, readPublicKey } from './public-key.js'
import { isSignatureText } from './segment-list.js'

/** Characters, keys and content ids of a key document at most; a content id in characters. */
export const MAX_KEY_DOCUMENT_CHARS = 32 * 1024
export const MAX_DOCUMENT_KEYS = 16
export const MAX_DOCUMENT_CONTENT_IDS = 64
const MAX_CONTENT_ID_CHARS = 2048

/** Latest time in a document, in seconds since 1970: exact in a JavaScript date (ECMA-262, 21.4.1.1). */
const MAX_SECONDS = 8.64e12

/** A key that signs segments, and when. Times are whole seconds since 1970. */
export interface DocumentKey {
  /** Base64url of the raw public key (`readPublicKey`). */
  readonly key: string
  /** It counts from this second on; from ever where it is left out. */
  readonly notBefore?: number
  /** It counts up to this second, not included; for ever where it is left out. */
  readonly notAfter?: number
}

/** What a key document says, without its signature. */
export interface KeyStatement {
  readonly v: 1
  /** When it was signed, in seconds since 1970: of two documents the later counts. */
  readonly issued: number
  /** It says nothing any more from this second on. */
  readonly expires?: number
  /** Titles that it is about; all of this root's where it is left out. */
  readonly contentIds?: readonly string[]
  readonly keys: readonly DocumentKey[]
  /** The root: the public key that signs the document, base64url. */
  readonly by: string
}

/** The keys of a publisher, signed by a root key that viewers know (docs/protocol.md, "Key document"). */
export interface KeyDocument extends KeyStatement {
  /** Base64url of 64 bytes, over `keyStatementBytes`. */
  readonly signature: string
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The bytes that the signature of a key document covers: UTF-8, one line for each value, so that neither
 * the order of a JSON object's keys nor its white space counts.
 */
export function keyStatementBytes(statement: KeyStatement): Uint8Array {
  const lines = ['shoal-keys-1', `by ${statement.by}`, `issued ${statement.issued}`]
  if (statement.expires !== undefined) lines.push(`expires ${statement.expires}`)
  for (const id of statement.contentIds ?? []) lines.push(`content ${JSON.stringify(id)}`)
  for (const { key, notBefore, notAfter } of statement.keys) {
    lines.push(`key ${key} ${notBefore ?? '-'} ${notAfter ?? '-'}`)
  }
  return utf8(lines.join('\n'))
}

/**
 * Reads a key document. Its signature is for the caller to verify, over `keyStatementBytes`, with `by`,
 * and only where `by` is one of the roots that the caller knows.
 *
 * @throws DecodeError (`too-large`, `bad-json`, `unknown-version`, `bad-value`, naming the key)
 */
export function readKeyDocument(text: string): KeyDocument {
  if (text.length > MAX_KEY_DOCUMENT_CHARS) throw new DecodeError('too-large', 'key document')
  const { v, issued, expires, contentIds, keys, by, signature } = parse(text)
  if (v !== 1) throw new DecodeError('unknown-version', 'key document: v')
  const listed = listOf(keys, 'keys', MAX_DOCUMENT_KEYS).map(readKey)
  if (!isPublicKey(by)) throw new DecodeError('bad-value', 'by: not a public key')
  if (!isSignatureText(signature)) throw new DecodeError('bad-value', 'signature: not 64 bytes in base64url')
  return {
    v,
    issued: seconds(issued, 'issued'),
    ...(expires === undefined ? {} : { expires: seconds(expires, 'expires') }),
    ...(contentIds === undefined
      ? {}
      : { contentIds: listOf(contentIds, 'contentIds', MAX_DOCUMENT_CONTENT_IDS).map(readContentId) }),
    keys: listed,
    by,
    signature,
  }
}

/**
 * Keys that may sign a title's segments at a time. None before the document was issued is refused: clocks
 * of viewers differ.
 *
 * @param now seconds since 1970
 */
export function documentKeysAt(document: KeyStatement, contentId: string, now: number): PublicKey[] {
  const { expires = Number.POSITIVE_INFINITY, contentIds, keys } = document
  if (now >= expires || contentIds?.includes(contentId) === false) return []
  return keys
    .filter(({ notBefore = 0, notAfter = Number.POSITIVE_INFINITY }) => now >= notBefore && now < notAfter)
    .map(({ key }) => readPublicKey(key))
    .filter((key) => key !== null)
}

function parse(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new DecodeError('bad-json', 'key document')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError('bad-json', 'key document: not an object')
  }
  return value as Fields
}

function listOf(value: unknown, key: string, max: number): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > max) {
    throw new DecodeError('bad-value', `${key}: not a list of 1 to ${max}`)
  }
  return value as unknown[]
}

function readKey(value: unknown): DocumentKey {
  if (typeof value !== 'object' || value === null) throw new DecodeError('bad-value', 'keys: not an object')
  const { key, notBefore, notAfter } = value as Fields
  if (!isPublicKey(key)) throw new DecodeError('bad-value', 'keys.key: not a public key')
  return {
    key,
    ...(notBefore === undefined ? {} : { notBefore: seconds(notBefore, 'keys.notBefore') }),
    ...(notAfter === undefined ? {} : { notAfter: seconds(notAfter, 'keys.notAfter') }),
  }
}

function readContentId(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_CONTENT_ID_CHARS) {
    throw new DecodeError('bad-value', `contentIds: not a text of up to ${MAX_CONTENT_ID_CHARS} characters`)
  }
  return value
}

function seconds(value: unknown, key: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_SECONDS) {
    throw new DecodeError('bad-value', `${key}: not whole seconds since 1970`)
  }
  return value as number
}
