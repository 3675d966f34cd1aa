import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import {
  bytesOfBase64url,
  DecodeError,
  type DocumentKey,
  isPublicKey,
  type KeyDocument,
  type KeyStatement,
  keyStatementBytes,
  MAX_DOCUMENT_KEYS,
  readKeyDocument,
} from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { type SigningKey, verifies } from './keys.js'

/** What is to be another way in a key document. */
export interface KeyChange {
  /** Public keys that may sign from now on. */
  readonly add: readonly string[]
  /** Public keys that may sign for `overlapSeconds` more. */
  readonly retire: readonly string[]
  readonly overlapSeconds: number
  /** How long the document says anything; as long as before where left out. */
  readonly lifeSeconds?: number | undefined
  /** Titles that it is about; as before where left out. */
  readonly contentIds?: readonly string[] | undefined
}

/**
 * Writes a key document anew, or for the first time (docs/protocol.md, "Key document").
 *
 * @param root the key that viewers know
 * @param now seconds since 1970
 * @throws SeederError (`usage`, `bad-key`)
 */
export function writeKeyDocument(
  file: string,
  root: SigningKey,
  change: KeyChange,
  now: number,
): KeyDocument {
  const document = changedDocument(readIfThere(file, root), root, change, now)
  try {
    // In one step: a server may hand the file out at any moment.
    writeFileSync(`${file}.new`, `${JSON.stringify(document, null, 2)}\n`)
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new SeederError(
      'bad-key',
      `cannot write ${file}: ${error instanceof Error ? error.message : error}`,
    )
  }
  return document
}

/** The document after a change; keys whose time is over are left out. @throws SeederError (`usage`) */
function changedDocument(
  before: KeyDocument | null,
  root: SigningKey,
  { add, retire, overlapSeconds, lifeSeconds, contentIds }: KeyChange,
  now: number,
): KeyDocument {
  const issued = Math.max(now, (before?.issued ?? -1) + 1)
  const keys = new Map((before?.keys ?? []).map((entry) => [entry.key, entry]))
  for (const key of add) {
    if (!isPublicKey(key)) throw usage(`--add ${key} is no public key: give what keygen printed`)
    keys.set(key, keys.get(key)?.notAfter === undefined ? (keys.get(key) ?? { key }) : { key })
  }
  for (const key of retire) {
    const entry = keys.get(key)
    if (entry === undefined) throw usage(`--retire ${key} is not in the document`)
    keys.set(key, { ...entry, notAfter: Math.min(entry.notAfter ?? Infinity, issued + overlapSeconds) })
  }
  const valid = [...keys.values()].filter(({ notAfter = Infinity }: DocumentKey) => notAfter > issued)
  if (valid.length === 0) throw usage('no key would be left: give one with --add')
  if (valid.length > MAX_DOCUMENT_KEYS) throw usage(`more than ${MAX_DOCUMENT_KEYS} keys: retire some`)
  const life = lifeSeconds ?? (before?.expires === undefined ? null : before.expires - before.issued)
  const titles = contentIds ?? before?.contentIds
  const statement: KeyStatement = {
    v: 1,
    issued,
    ...(life === null ? {} : { expires: issued + life }),
    ...(titles === undefined ? {} : { contentIds: titles }),
    keys: valid,
    by: root.publicKey,
  }
  const signature = Buffer.from(root.sign(keyStatementBytes(statement))).toString('base64url')
  return { ...statement, signature }
}

function readIfThere(file: string, root: SigningKey): KeyDocument | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new SeederError('bad-key', `cannot read ${file}: ${error instanceof Error ? error.message : error}`)
  }
  try {
    const document = readKeyDocument(text)
    const signature = bytesOfBase64url(document.signature) ?? new Uint8Array()
    const ours = document.by === root.publicKey
    if (ours && verifies(document.by, keyStatementBytes(document), signature)) return document
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new SeederError('bad-key', `${file} is no key document: ${error.message}`)
  }
  throw new SeederError('bad-key', `${file} is not signed with this root key: give another file, or the key`)
}

function usage(message: string): SeederError {
  return new SeederError('usage', `${message}.`)
}
