import { ByteInput } from './byte-input.js'

const QUOTE = 0x22
export const COMMA = 0x2c
const BACKSLASH = 0x5c
export const OPEN_BRACKET = 0x5b
export const CLOSE_BRACKET = 0x5d
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d
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

/** Values of hexadecimal digits, 255 for all other bytes. */
const HEX = new Uint8Array(256).fill(255)
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = Number.parseInt(digit, 16)

/** Digits of a number that a double holds exactly. */
const MAX_DIGITS = 15

/** Characters of an id, a hash, an action or an event. */
const MAX_SHORT_CHARS = 20

/** Depth of the `shoal` key's value. */
const MAX_DEPTH = 8

/** Bytes of a message that is scanned at most: whatever a socket takes, and session descriptions alone. */
const MAX_BYTES = 128 * 1024

/** A word with what ends it: the closing quote and, of a key, the colon. */
interface Word {
  /** In `texts`. */
  readonly index: number
  readonly bytes: Uint8Array
}

export interface Words {
  readonly texts: readonly string[]
  /** By their first bytes: few share one. */
  readonly byFirst: readonly (readonly Word[] | undefined)[]
}

/** Thrown once and for all: an error with a stack costs more than the scan. */
export const GIVE_UP = Symbol('not scanned')

const id = Buffer.alloc(MAX_SHORT_CHARS)
const NULL = Buffer.from('null')

/**
 * Reads JSON in the form that clients write it: no white space, ASCII but for ids. Every method reads
 * what begins here and goes on behind it, or throws `GIVE_UP`.
 */
export class JsonCursor {
  at = 0
  private readonly input = new ByteInput(MAX_BYTES)
  private readonly bytes = this.input.bytes

  /** Begins a text. False for one that is too long. @param data not kept */
  begin(data: Uint8Array): boolean {
    this.at = 0
    return this.input.take(data)
  }

  get atEnd(): boolean {
    return this.at === this.input.length
  }

  /** A part of the text, each byte as one character. */
  slice(from: number, to: number): string {
    return this.input.latin1(from, to)
  }

  /** Index of the word that begins here, behind its opening quote. */
  word(words: Words): number {
    this.take(QUOTE)
    const index = this.find(words)
    if (index < 0) throw GIVE_UP
    return index
  }

  /** As `word`, but the quote is behind; -1 for none of them, and nothing is taken then. */
  private find(words: Words): number {
    const candidates = words.byFirst[this.bytes[this.at] ?? 0]
    if (candidates === undefined) return -1
    for (const { bytes, index } of candidates) {
      if (!this.startsWith(bytes)) continue
      this.at += bytes.length
      return index
    }
    return -1
  }

  private startsWith(wanted: Uint8Array): boolean {
    const { bytes, at } = this
    for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
    return true
  }

  /** As `short`, without a new string for one of the words. */
  shortOf(words: Words): string {
    this.take(QUOTE)
    const index = this.find(words)
    return index < 0 ? this.shortRest() : (words.texts[index] ?? '')
  }

  /** A string of up to 20 characters from U+0000 to U+00FF. */
  short(): string {
    this.take(QUOTE)
    return this.shortRest()
  }

  private shortRest(): string {
    const { bytes } = this
    const start = this.at
    let at = start
    while (STRING_CLASS[bytes[at] ?? 0] === 1) at++
    if (bytes[at] === QUOTE) {
      if (at - start > MAX_SHORT_CHARS) throw GIVE_UP
      this.at = at + 1
      return this.input.latin1(start, at)
    }
    return this.binary(start)
  }

  /** With escapes, and with two bytes for characters from U+0080 (RFC 3629 section 3). */
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
    const { bytes } = this
    const [high, low] = [HEX[bytes[at + 2] ?? 0] ?? 255, HEX[bytes[at + 3] ?? 0] ?? 255]
    if (bytes[at] !== ZERO || bytes[at + 1] !== ZERO || high > 15 || low > 15) throw GIVE_UP
    return high * 16 + low
  }

  /** A whole number from 0, or null. */
  number(): number | null {
    const { bytes } = this
    const start = this.at
    let at = start
    let value = 0
    for (;;) {
      const byte = bytes[at] ?? 0
      if (byte < ZERO || byte > NINE) break
      value = value * 10 + byte - ZERO
      at++
    }
    const digits = at - start
    if (digits === 0) return this.nothing()
    if (digits > MAX_DIGITS || (bytes[start] === ZERO && digits > 1)) throw GIVE_UP
    this.at = at
    return value
  }

  private nothing(): null {
    if (!this.startsWith(NULL)) throw GIVE_UP
    this.at += NULL.length
    return null
  }

  /** An ASCII string. */
  skipQuoted(): void {
    this.take(QUOTE)
    this.skipString()
  }

  /** From behind the opening quote of an ASCII string to behind its closing one. */
  private skipString(): void {
    const { bytes, input } = this
    let { at } = this
    for (;;) {
      at = input.skipPlain(at)
      while (STRING_CLASS[bytes[at] ?? 0] === 1) at++
      const byte = bytes[at]
      if (byte === QUOTE) break
      if (byte !== BACKSLASH) throw GIVE_UP
      const escaped = bytes[at + 1] ?? 0
      if (ESCAPED[escaped] !== 0) at += 2
      else if (escaped === LOWER_U && this.hex4(at + 2)) at += 6
      else throw GIVE_UP
    }
    this.at = at + 1
  }

  private hex4(at: number): boolean {
    for (let i = at; i < at + 4; i++) if (HEX[this.bytes[i] ?? 0] === 255) return false
    return true
  }

  /** An object of any content in ASCII: it is short, so that only its extent is found here. */
  anyObject(): unknown {
    const start = this.at
    let depth = 0
    do {
      const byte = this.bytes[this.at]
      if (this.at >= this.input.length) throw GIVE_UP
      this.at++
      if (byte === QUOTE) this.skipString()
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
      if (depth > MAX_DEPTH) throw GIVE_UP
    } while (depth > 0)
    if (this.bytes[start] !== OPEN_BRACE) throw GIVE_UP
    try {
      return JSON.parse(this.input.latin1(start, this.at))
    } catch {
      throw GIVE_UP
    }
  }

  take(byte: number): void {
    if (this.bytes[this.at] !== byte) throw GIVE_UP
    this.at++
  }

  next(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false
    this.at++
    return true
  }
}

/** @param end what follows each: the closing quote and, of a key, the colon */
export function wordsOf(end: string, texts: readonly string[]): Words {
  const byFirst: Word[][] = []
  for (const [index, text] of texts.entries()) {
    const first = text.charCodeAt(0)
    const others = byFirst[first] ?? []
    others.push({ bytes: Buffer.from(text + end), index })
    byFirst[first] = others
  }
  return { byFirst, texts }
}
