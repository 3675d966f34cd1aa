import { MAX_SDP_CHARS } from '@shoal/protocol'

/**
 * A JSON string as it stood in a message, quotes included: passed on without being decoded.
 *
 * It is a complete JSON string of printable ASCII, checked escape by escape, so that it cannot end
 * early and bring keys of its own into the message that it is put into.
 */
export class RawJsonString {
  readonly json: string

  constructor(json: string) {
    this.json = json
  }
}

/** What `JSON.parse` gives, except that session descriptions are `RawJsonString`. */
export type ScannedObject = { readonly [key: string]: unknown }

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const ZERO = 0x30
const NINE = 0x39
const LOWER_U = 0x75

/** What a byte inside a JSON string is: 1 itself, 2 the end, 3 an escape, 0 nothing that is scanned. */
const STRING_CLASS = new Uint8Array(256)
for (let byte = 0x20; byte < 0x7f; byte++) STRING_CLASS[byte] = 1
STRING_CLASS[QUOTE] = 2
STRING_CLASS[BACKSLASH] = 3

/** What the two-character escapes stand for, by their second characters: RFC 8259 section 7. */
const ESCAPED = new Uint8Array(256)
for (const character of '"\\/bfnrt') {
  ESCAPED[character.charCodeAt(0)] = (JSON.parse(`"\\${character}"`) as string).charCodeAt(0)
}

const HEX = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = 1

/** Digits of a number that a double holds exactly. */
const MAX_DIGITS = 15

/** Characters of an id, a hash, an action or an event. */
const MAX_SHORT_CHARS = 20

/** Depth of the `shoal` key's value. */
const MAX_DEPTH = 8

type Read = 'short' | 'number' | 'sdp' | 'description' | 'offers' | 'entry' | 'value'

interface Key {
  readonly name: string
  /** The name, its closing quote and the colon. */
  readonly bytes: Uint8Array
  readonly read: Read
}

type Keys = readonly (readonly Key[] | undefined)[]

const MESSAGE_KEYS = keysOf({
  action: 'short',
  event: 'short',
  info_hash: 'short',
  peer_id: 'short',
  to_peer_id: 'short',
  offer_id: 'short',
  numwant: 'number',
  uploaded: 'number',
  downloaded: 'number',
  left: 'number',
  offers: 'offers',
  answer: 'description',
  shoal: 'value',
})
const OFFER_KEYS = keysOf({ offer: 'description', offer_id: 'short' })
const DESCRIPTION_KEYS = keysOf({ type: 'short', sdp: 'sdp' })

/** Thrown once and for all: an error with a stack costs more than the scan. */
const GIVE_UP = Symbol('not scanned')

const id = Buffer.alloc(MAX_SHORT_CHARS)

/**
 * Reads a client's message in its usual form, several times as fast as `JSON.parse` and without
 * decoding its session descriptions, which are nearly all of it.
 *
 * Usual is: the protocol's keys and no others, each once, in any order, no white space between them,
 * session descriptions in ASCII. The caller parses anything else; so nothing is an error here.
 *
 * @param data UTF-8, not kept
 * @returns null for whatever is unusual
 */
export function scanMessage(data: Uint8Array): ScannedObject | null {
  const scanner = new Scanner(data)
  try {
    const message = scanner.object(MESSAGE_KEYS)
    return scanner.atEnd ? message : null
  } catch (thrown) {
    if (thrown === GIVE_UP) return null
    throw thrown
  }
}

/** True for a JSON string of printable ASCII, quotes included, that is complete. */
export function isPlainJsonString(text: string): boolean {
  return text.length >= 2 && new Scanner(Buffer.from(text, 'latin1')).isString()
}

class Scanner {
  private readonly bytes: Buffer
  private at = 0

  constructor(data: Uint8Array) {
    this.bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length
  }

  isString(): boolean {
    try {
      this.take(QUOTE)
      this.skipString()
      return this.atEnd
    } catch (thrown) {
      if (thrown === GIVE_UP) return false
      throw thrown
    }
  }

  object(keys: Keys): ScannedObject {
    this.take(OPEN_BRACE)
    const object: Record<string, unknown> = {}
    if (this.next(CLOSE_BRACE)) return object
    do {
      const { name, read } = this.key(keys)
      // Of a key that is there twice `JSON.parse` takes the last one.
      if (object[name] !== undefined) throw GIVE_UP
      object[name] = this.value(read)
    } while (this.next(COMMA))
    this.take(CLOSE_BRACE)
    return object
  }

  private value(read: Read): unknown {
    switch (read) {
      case 'short':
        return this.short()
      case 'number':
        return this.number()
      case 'sdp':
        return this.sdp()
      case 'description':
        return this.object(DESCRIPTION_KEYS)
      case 'entry':
        return this.object(OFFER_KEYS)
      case 'offers':
        return this.offers()
      case 'value':
        return this.anyObject()
    }
  }

  private offers(): unknown[] {
    this.take(OPEN_BRACKET)
    const list: unknown[] = []
    if (this.next(CLOSE_BRACKET)) return list
    do list.push(this.value('entry'))
    while (this.next(COMMA))
    this.take(CLOSE_BRACKET)
    return list
  }

  private key(keys: Keys): Key {
    this.take(QUOTE)
    const candidates = keys[this.bytes[this.at] ?? 0]
    if (candidates === undefined) throw GIVE_UP
    for (const key of candidates) {
      if (!this.startsWith(key.bytes)) continue
      this.at += key.bytes.length
      return key
    }
    throw GIVE_UP
  }

  private startsWith(wanted: Uint8Array): boolean {
    for (let i = 0; i < wanted.length; i++) if (this.bytes[this.at + i] !== wanted[i]) return false
    return true
  }

  /** A string of up to 20 characters from U+0000 to U+00FF. */
  private short(): string {
    this.take(QUOTE)
    const { bytes } = this
    const start = this.at
    let at = start
    while (STRING_CLASS[bytes[at] ?? 0] === 1) at++
    if (bytes[at] === QUOTE) {
      if (at - start > MAX_SHORT_CHARS) throw GIVE_UP
      this.at = at + 1
      return bytes.toString('latin1', start, at)
    }
    return this.binary(start)
  }

  /** As `short`, with escapes, and with two bytes for characters from U+0080 (RFC 3629 section 3). */
  private binary(start: number): string {
    const { bytes } = this
    let at = start
    let length = 0
    for (;;) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) break
      if (length === MAX_SHORT_CHARS) throw GIVE_UP
      const next = bytes[at + 1] ?? 0
      if (byte === BACKSLASH && next === LOWER_U) {
        id[length++] = this.latin1Escape(at + 2)
        at += 6
      } else if (byte === BACKSLASH) {
        const character = ESCAPED[next] ?? 0
        if (character === 0) throw GIVE_UP
        id[length++] = character
        at += 2
      } else if (byte >= 0x20 && byte < 0x80) {
        id[length++] = byte
        at++
      } else {
        if ((byte !== 0xc2 && byte !== 0xc3) || (next & 0xc0) !== 0x80) throw GIVE_UP
        id[length++] = ((byte & 3) << 6) | (next & 0x3f)
        at += 2
      }
    }
    this.at = at + 1
    return id.toString('latin1', 0, length)
  }

  /** The four digits of an escaped character up to U+00FF. */
  private latin1Escape(at: number): number {
    if (this.bytes[at] !== ZERO || this.bytes[at + 1] !== ZERO || !this.hex4(at)) throw GIVE_UP
    return Number.parseInt(this.bytes.toString('latin1', at + 2, at + 4), 16)
  }

  /** A whole number from 0, or null. */
  private number(): number | null {
    const { bytes } = this
    const start = this.at
    let value = 0
    for (;;) {
      const byte = bytes[this.at] ?? 0
      if (byte < ZERO || byte > NINE) break
      value = value * 10 + byte - ZERO
      this.at++
    }
    const digits = this.at - start
    if (digits === 0) return this.nothing()
    if (digits > MAX_DIGITS || (bytes[start] === ZERO && digits > 1)) throw GIVE_UP
    return value
  }

  private nothing(): null {
    if (!this.startsWith(NULL)) throw GIVE_UP
    this.at += NULL.length
    return null
  }

  private sdp(): RawJsonString {
    const start = this.at
    this.take(QUOTE)
    this.skipString()
    if (this.at - start - 2 > MAX_SDP_CHARS) throw GIVE_UP
    return new RawJsonString(this.bytes.toString('latin1', start, this.at))
  }

  /** From behind the opening quote of an ASCII string to behind its closing one. */
  private skipString(): void {
    const { bytes } = this
    let { at } = this
    for (;;) {
      const kind = STRING_CLASS[bytes[at] ?? 0]
      if (kind === 1) {
        at++
      } else if (kind === 3) {
        const escaped = bytes[at + 1] ?? 0
        if (ESCAPED[escaped] !== 0) at += 2
        else if (escaped === LOWER_U && this.hex4(at + 2)) at += 6
        else throw GIVE_UP
      } else if (kind === 2) {
        this.at = at + 1
        return
      } else {
        throw GIVE_UP
      }
    }
  }

  private hex4(at: number): boolean {
    for (let i = at; i < at + 4; i++) if (HEX[this.bytes[i] ?? 0] !== 1) return false
    return true
  }

  /** An object of any content in ASCII: it is short, so that only its extent is found here. */
  private anyObject(): unknown {
    const start = this.at
    let depth = 0
    do {
      const byte = this.bytes[this.at]
      if (byte === undefined) throw GIVE_UP
      this.at++
      if (byte === QUOTE) this.skipString()
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
      if (depth > MAX_DEPTH) throw GIVE_UP
    } while (depth > 0)
    if (this.bytes[start] !== OPEN_BRACE) throw GIVE_UP
    try {
      return JSON.parse(this.bytes.toString('latin1', start, this.at))
    } catch {
      throw GIVE_UP
    }
  }

  private take(byte: number): void {
    if (!this.next(byte)) throw GIVE_UP
  }

  private next(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false
    this.at++
    return true
  }
}

const NULL = Buffer.from('null')

/** Keys by the first byte of their names. */
function keysOf(reads: Readonly<Record<string, Read>>): Keys {
  const keys: Key[][] = []
  for (const [name, read] of Object.entries(reads)) {
    const bytes = Buffer.from(`${name}"${String.fromCharCode(COLON)}`)
    const first = name.charCodeAt(0)
    const others = keys[first] ?? []
    others.push({ name, bytes, read })
    keys[first] = others
  }
  return keys
}
