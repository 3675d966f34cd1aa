import {
  base64urlOf,
  bytesOfBase64url,
  documentKeysAt,
  type KeyDocument,
  keyStatementBytes,
  MAX_KEY_DOCUMENT_CHARS,
  type PublicKey,
  readKeyDocument,
} from '@shoal/protocol'
import { verifierOf } from '../browser/crypto-port.js'

/** The document is loaded anew this often, give or take a tenth, in milliseconds. */
const RELOAD_MS = 3_600_000
const JITTER = 0.2

/** After a failure, or where a key is not known; and how often it is looked which keys count now. */
const RETRY_MS = 60_000

export interface KeyDocumentOptions {
  readonly url: string
  /** Keys, one of which must have signed the document. */
  readonly roots: readonly PublicKey[]
  readonly contentId: string
  readonly subtle: SubtleCrypto
  readonly random: () => number
  /** Other keys count from now on; none where the document cannot be had. */
  onKeys(keys: readonly PublicKey[]): void
  /** It cannot be loaded, or is not a root's; what was known holds until it expires. */
  onError(message: string): void
}

/** Follows a publisher's key document, so that keys can change while viewers watch. */
export class KeyDocuments {
  readonly #options: KeyDocumentOptions
  #document: KeyDocument | null = null
  #told = ''
  #loadedAt = Number.NEGATIVE_INFINITY
  #nextAt = 0
  readonly #abort = new AbortController()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(options: KeyDocumentOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), RETRY_MS)
  }

  /** Loads the document; ends when its keys have been told, or it failed. */
  async load(): Promise<void> {
    const { url, random, onError } = this.#options
    this.#loadedAt = performance.now()
    this.#nextAt = this.#loadedAt + RETRY_MS
    try {
      const response = await fetch(url, {
        cache: 'no-cache',
        credentials: 'omit',
        signal: this.#abort.signal,
      })
      if (!response.ok) throw new Error(`status ${response.status}`)
      const document = readKeyDocument(await textOf(response))
      await this.#verify(document)
      // Whoever gives an old one back would bring back a key that is not good any more.
      if (document.issued >= (this.#document?.issued ?? 0)) this.#document = document
      this.#nextAt = this.#loadedAt + RELOAD_MS * (1 - JITTER / 2 + JITTER * random())
    } catch (error) {
      if (!this.#abort.signal.aborted) onError(`${url}: ${error instanceof Error ? error.message : error}`)
    }
    this.#tell()
  }

  /** A manifest is signed with another key: there may be a new document. */
  unknownKey(): void {
    this.#nextAt = Math.min(this.#nextAt, this.#loadedAt + RETRY_MS)
    if (performance.now() >= this.#nextAt) void this.load()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#abort.abort()
  }

  #look(): void {
    if (performance.now() >= this.#nextAt) void this.load()
    else this.#tell()
  }

  async #verify(document: KeyDocument): Promise<void> {
    const { roots, subtle } = this.#options
    const root = roots.find(({ bytes }) => base64urlOf(bytes) === document.by)
    if (root === undefined) throw new Error('not signed by a key of publicKey')
    const verify = await verifierOf(subtle, root)
    const bytes = bytesOfBase64url(document.signature) ?? new Uint8Array(0)
    const { algorithm } = root
    if (!(await verify?.({ algorithm, bytes }, keyStatementBytes(document))))
      throw new Error('wrong signature')
  }

  #tell(): void {
    const { contentId, onKeys } = this.#options
    if (this.#abort.signal.aborted) return
    const keys = this.#document === null ? [] : documentKeysAt(this.#document, contentId, Date.now() / 1000)
    const text = keys.map(({ bytes }) => base64urlOf(bytes)).join()
    if (text === this.#told) return
    this.#told = text
    onKeys(keys)
  }
}

/** A body up to what a document may have. */
async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {}
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length <= MAX_KEY_DOCUMENT_CHARS) continue
    await reader?.cancel()
    throw new Error('too large')
  }
}
