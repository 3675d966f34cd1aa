import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { SeededRandom } from '../test/random.js'
import {
  contentIdOfUrl,
  hexOf,
  isBinaryString20,
  makePeerId,
  segmentKey,
  swarmIdFromBytes,
  trackIdOf,
  utf8,
} from './ids.js'
import { binaryStringOf, bytesOfBinaryString } from './reader.js'
import type { TrackId } from './units.js'

describe('utf8', () => {
  const encoder = new TextEncoder()
  const units = fc
    .array(
      fc.oneof(
        fc.nat(0xffff),
        fc.nat(0x7f),
        fc.integer({ min: 0xd800, max: 0xdfff }),
        fc.constantFrom(0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff),
      ),
      { maxLength: 60 },
    )
    .map((codes) => String.fromCharCode(...codes))

  it('is what TextEncoder says, lone surrogates included', () => {
    fc.assert(
      fc.property(units, (text) => {
        expect([...utf8(text)]).toEqual([...encoder.encode(text)])
      }),
      { numRuns: 3_000, seed: 6 },
    )
  })
  it('of every code point, the highest included', () => {
    for (let code = 0; code <= 0x10ffff; code += code < 0x1000 ? 1 : 61) {
      const text = String.fromCodePoint(code)
      if (binaryStringOf(utf8(text)) !== binaryStringOf(encoder.encode(text))) throw new Error(`U+${code}`)
    }
    expect([...utf8('\u{10ffff}')]).toEqual([0xf4, 0x8f, 0xbf, 0xbf])
  })
})

describe('makePeerId', () => {
  it('keeps the prefix and fills up with letters and digits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), fc.nat(), (prefix, seed) => {
        const random = new SeededRandom(seed)
        const id = makePeerId(prefix, () => random.bits() / 2 ** 32)
        expect(isBinaryString20(id)).toBe(true)
        expect(id.startsWith(prefix)).toBe(true)
        expect(id.slice(prefix.length)).toMatch(/^[0-9A-Za-z]*$/)
      }),
      { seed: 7 },
    )
  })
  it('takes the whole alphabet, from the lowest to the highest draw', () => {
    expect(makePeerId('-SH0100-', () => 0)).toBe('-SH0100-000000000000')
    expect(makePeerId('-SH0100-', () => 1 - 2 ** -53)).toBe('-SH0100-zzzzzzzzzzzz')
  })
  it('cuts a long prefix', () => {
    expect(makePeerId('x'.repeat(30), () => 0)).toBe('x'.repeat(20))
  })
})

describe('trackIdOf', () => {
  /** FNV-1a in exact arithmetic. */
  function reference(text: string): number {
    let hash = 0x811c9dc5n
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      for (const byte of [unit >> 8, unit & 0xff]) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
    }
    return Number(hash)
  }
  it('is FNV-1a over code units', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(trackIdOf(text)).toBe(reference(text))
      }),
      { numRuns: 500, seed: 8 },
    )
  })
})

describe('binary strings', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const text = binaryStringOf(bytes)
        expect(bytesOfBinaryString(text)).toEqual(bytes)
        expect(hexOf(text)).toBe(Buffer.from(bytes).toString('hex'))
      }),
      { seed: 9 },
    )
  })
  it('hold no character above U+00FF', () => {
    expect(decodeErrorCode(() => bytesOfBinaryString('ab\u0100'))).toBe('bad-value')
    expect(decodeErrorCode(() => hexOf('\uffff'))).toBe('bad-value')
  })
  it.each(['', 'x'.repeat(19), 'x'.repeat(21), `${'x'.repeat(19)}\u0100`, 20, null, undefined, ['x']])(
    '%j is no id',
    (value) => {
      expect(isBinaryString20(value)).toBe(false)
    },
  )
})

describe('swarm and segment ids', () => {
  it('a swarm id has 32 bytes', () => {
    for (const length of [0, 20, 31, 33]) {
      expect(decodeErrorCode(() => swarmIdFromBytes(new Uint8Array(length)))).toBe('bad-value')
    }
  })
  it('reads a swarm id in the midst of a buffer', () => {
    const buffer = Uint8Array.from({ length: 40 }, (_, index) => index)
    expect(swarmIdFromBytes(buffer.subarray(5, 37)).tag).toBe(0x05060708)
  })
  it('content ids have neither query nor fragment', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const id = contentIdOfUrl(url)
        expect(url.startsWith(id)).toBe(true)
        expect(id).not.toMatch(/[?#]/)
        expect(contentIdOfUrl(`${id}?a\nb#c`)).toBe(id)
      }),
      { seed: 10 },
    )
  })
  it('segment keys differ where segments do', () => {
    const track = 1 as TrackId
    const ids = [
      { track, sequence: 1, part: null },
      { track, sequence: 1, part: 0 },
      { track, sequence: 10, part: null },
      { track: 11 as TrackId, sequence: 0, part: null },
      { track, sequence: 2 ** 48 - 1, part: 65_534 },
    ]
    expect(new Set(ids.map(segmentKey)).size).toBe(ids.length)
  })
})
