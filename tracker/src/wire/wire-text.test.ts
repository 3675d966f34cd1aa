import { MAX_SDP_CHARS } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSdpJson } from './relayed-json.js'
import type { WireText } from './wire-text.js'
import { idJson, wireText } from './wire-text.js'

const decoded = (text: WireText) => Buffer.from(text, 'latin1').toString('utf8')

describe('wire text', () => {
  it('is the UTF-8 of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decoded(wireText(text))).toBe(text)
      }),
    )
    expect(decoded(wireText('\ud800'))).toBe('\ufffd')
  })

  it('of an id is what JSON.stringify makes of it', () => {
    const codes = Array.from({ length: 256 }, (_, code) => code)
    for (let i = 0; i < 256; i += 20) {
      const id = String.fromCharCode(...codes.slice(i, i + 20))
      expect(decoded(idJson(id))).toBe(JSON.stringify(id))
    }
  })
})

describe('a JSON string that came as text', () => {
  it('stands for what it stood for, or is not taken', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }).map((value) => wireText(JSON.stringify(value))),
      fc.string({ unit: fc.constantFrom('"', '\\', 'u', '0', 'a', '\n', '\u00e4', '\u00ff') }),
    )
    fc.assert(
      fc.property(text, (value) => {
        const taken = readSdpJson(Buffer.from(value, 'latin1'))
        let expected: unknown
        try {
          expected = JSON.parse(Buffer.from(value, 'latin1').toString('utf8'))
        } catch {
          expected = null
        }
        if (typeof expected !== 'string') expect(taken).toBeNull()
        else expect(taken === null ? null : JSON.parse(decoded(taken))).toBe(expected)
      }),
      { numRuns: 1000 },
    )
    expect(readSdpJson(Buffer.from(`"${'\\u0001'.repeat(MAX_SDP_CHARS)}"`))).toHaveLength(
      6 * MAX_SDP_CHARS + 2,
    )
    expect(readSdpJson(Buffer.from(`"${'\\n'.repeat(MAX_SDP_CHARS + 1)}"`))).toBeNull()
  })
})
